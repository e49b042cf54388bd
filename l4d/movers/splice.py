"""Splicing through a pipe in the kernel: the bytes never reach our memory (splice(2)). Pays for bulk.

A pipe is held only while bytes are in it: taken from the pool when the source has something, given back as soon as the
target has taken all. A silent session holds none, and the pool serves as many sessions as are moving.

Both sockets must be non-blocking as descriptors: SPLICE_F_NONBLOCK is about the pipe alone, and a blocking source
would hold the process.
"""

import os
from typing import Final

from l4d.linux.pipes import Pipe, Pipes
from l4d.linux.sockets import Socket

FLAGS: Final = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK


class NoPipeError(Exception):
    """The pool has no pipe now; nothing was taken from the source."""


class SpliceMover:
    """splice from the source into a pipe, and out of it into the target."""

    __slots__ = ("_pipe", "_pipes", "_source", "_target", "pending", "room")

    def __init__(self, source: Socket, target: Socket, pipes: Pipes) -> None:
        source.setblocking(False)
        target.setblocking(False)
        self._source = source.fileno()
        self._target = target.fileno()
        self._pipes = pipes
        self._pipe: Pipe | None = None
        self.pending = 0
        self.room = pipes.size

    def move(self) -> int:
        """As every mover's; raises NoPipeError when the pool has none."""
        pipe = self._pipes.take()
        if pipe is None:
            raise NoPipeError
        try:
            # Called only when the pipe is empty, so EAGAIN can only mean the source.
            taken = os.splice(self._source, pipe.writer, pipe.size, flags=FLAGS)
        except OSError:
            self._pipes.give_back(pipe, empty=True)
            raise
        if not taken:
            self._pipes.give_back(pipe, empty=True)
            return 0
        self._pipe = pipe
        self.pending = taken
        self.drain()
        return taken

    def drain(self) -> int:
        assert self._pipe is not None
        try:
            taken = os.splice(self._pipe.reader, self._target, self.pending, flags=FLAGS)
        except BlockingIOError:
            return 0
        self.pending -= taken
        if not self.pending:
            self._pipes.give_back(self._pipe, empty=True)
            self._pipe = None
        return taken

    def release(self) -> bytes:
        if self._pipe is None:
            return b""
        held = os.read(self._pipe.reader, self.pending)
        assert len(held) == self.pending, "a pipe gives all that is in it (pipe(7))"
        self._pipes.give_back(self._pipe, empty=True)
        self._pipe = None
        self.pending = 0
        return held

    def leave(self) -> None:
        if self._pipe is not None:
            self._pipes.give_back(self._pipe, empty=False)
            self._pipe = None
            self.pending = 0
