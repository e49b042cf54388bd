"""Copying through our own memory: the cheapest way for small messages.

All copying of a process goes through one buffer. Only what a target does not take at once gets memory of its own, so an
idle session owns none and a slow reader costs at the most one buffer.
"""

import socket

BUFFER_SIZE = 64 << 10

DONTWAIT = socket.MSG_DONTWAIT


class CopyMover:
    """recv into the shared buffer, send out of it."""

    __slots__ = ("_buffer", "_data", "_source", "_target", "pending")

    room = BUFFER_SIZE

    def __init__(self, source: socket.socket, target: socket.socket, buffer: memoryview) -> None:
        """*buffer* is the process's own, BUFFER_SIZE long."""
        self._source = source
        self._target = target
        self._buffer = buffer
        self._data = buffer  # where the pending bytes are
        self.pending = 0

    def fill(self) -> int:
        self.pending = taken = self._source.recv_into(self._buffer, 0, DONTWAIT)
        return taken

    def drain(self) -> int:
        data = self._data[: self.pending] if self._data is self._buffer else self._data
        try:
            taken = self._target.send(data, DONTWAIT)
        except BlockingIOError:
            taken = 0
        if taken == self.pending:
            self._data = self._buffer
            self.pending = 0
        else:
            self._keep(data, taken)
        return taken

    def _keep(self, data: memoryview, taken: int) -> None:
        """The rest of *data* into memory of our own, once; after that it only gets shorter."""
        self.pending -= taken
        rest = data[taken:]
        self._data = memoryview(bytes(rest)) if self._data is self._buffer else rest

    def leave(self) -> None:
        self._data = self._buffer
        self.pending = 0


def make_buffer() -> memoryview:
    """The one buffer of a process."""
    return memoryview(bytearray(BUFFER_SIZE))
