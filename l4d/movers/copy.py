"""Copying through our own memory: the cheapest way for small messages.

All copying of a process goes through one buffer. Only what a target does not take at once gets memory of its own, so an
idle session owns none and a slow reader costs at the most one buffer.
"""

import socket
from typing import ClassVar, Final

from l4d.linux.sockets import Socket

BUFFER_SIZE: Final = 64 << 10

DONTWAIT: Final = socket.MSG_DONTWAIT


class CopyMover:
    """recv into the shared buffer, send out of it."""

    __slots__ = ("_buffer", "_kept", "_source", "_target", "pending")

    room: ClassVar[int] = BUFFER_SIZE

    def __init__(self, source: Socket, target: Socket, buffer: memoryview) -> None:
        """*buffer* is the process's own, BUFFER_SIZE long."""
        self._source = source
        self._target = target
        self._buffer = buffer
        self._kept = buffer  # the pending bytes, if any
        self.pending = 0

    def move(self) -> int:
        self.pending = taken = self._source.recv_into(self._buffer, 0, DONTWAIT)
        if not taken:
            return 0
        self._kept = data = self._buffer[:taken]
        try:
            given = self._target.send(data, DONTWAIT)
        except BlockingIOError:
            given = 0
        if given == taken:
            self.pending = 0
            self._kept = self._buffer
        else:  # the buffer is everybody's: the rest gets memory of its own
            self.pending = taken - given
            self._kept = memoryview(bytes(data[given:]))
        return taken

    def drain(self) -> int:
        try:
            given = self._target.send(self._kept, DONTWAIT)
        except BlockingIOError:
            return 0
        self.pending -= given
        self._kept = self._kept[given:] if self.pending else self._buffer
        return given

    def release(self) -> bytes:
        held = bytes(self._kept) if self.pending else b""
        self.leave()
        return held

    def leave(self) -> None:
        self._kept = self._buffer
        self.pending = 0

    def take_up(self, held: bytes) -> None:
        """Go on with what another mover has taken from the source; it may be more than the buffer."""
        if held:
            self._kept = memoryview(held)
            self.pending = len(held)


def make_buffer() -> memoryview:
    """The one buffer of a process."""
    return memoryview(bytearray(BUFFER_SIZE))
