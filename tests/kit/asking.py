"""Asking the workers of a running l4d, as its control process does, which it must not have itself: no checks, no names.

Only root may: the socket that workers call is the master's (pidfd_getfd(2)).
"""

import asyncio
import ctypes
import os
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from l4d.control.inquiries import Explained, Inquiries, Killed, Listing
from l4d.handover.record import Json
from l4d.log.log import Log
from l4d.log.sinks import DescriptorSink
from l4d.session.filter import Filter
from l4d.stats.process import processes
from l4d.terms import Level, WorkerState
from tests.kit.board import BoardOf, Master
from tests.kit.closing import Closing
from tests.kit.wait import wait_until

T = TypeVar("T")

_PIDFD_GETFD = 438
_LISTENING = "00010000"
"""Flags of a socket that listens (__SO_ACCEPTCON, proc_net(5))."""

_SEQPACKET = "0005"


class Asking(Closing):
    """The end of control. Workers are told of by *daemon*'s board, see `BoardOf`."""

    def __init__(self, daemon: Master) -> None:
        self.board = BoardOf(daemon)
        self.listening = _inquiries_of(daemon.master)
        self._loop = asyncio.new_event_loop()
        log = Log(DescriptorSink(os.dup(2)), Level.INFO, "asking")
        self.inquiries = Inquiries(self.listening, self.board.numbers.board, self.board.numbers.columns, log)
        self.run(self._open())
        wait_until("the workers serve", lambda: set(self._states()) == {WorkerState.SERVING})

    def _states(self) -> list[WorkerState]:
        """What the workers do that do not leave."""
        found = processes(self.board.numbers.board, self.board.numbers.columns)
        return [one.state for one in found if one.slot >= 0 and one.state is not WorkerState.LEAVING]

    async def _open(self) -> None:
        self.inquiries.open()

    async def _close(self) -> None:
        self.inquiries.close()

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(what)

    def sessions(self, limit: int = 1000, **texts: str) -> Listing:
        return self.run(self.inquiries.sessions(Filter(texts), limit))

    def kill(self, **texts: str) -> Killed:
        return self.run(self.inquiries.kill(Filter(texts)))

    def newest_ends(self, limit: int = 50) -> list[Json]:
        return self.run(self.inquiries.newest_ends(limit))

    def explain(self, client: str, listener: str = "web") -> Explained:
        return self.run(self.inquiries.explain(listener, client))

    def close(self) -> None:
        self.run(self._close())
        self._loop.close()
        self.listening.close()
        self.board.close()


def _inquiries_of(master: int) -> socket.socket:
    """A copy of the socket that the workers of this master call."""
    listening = {
        words[6]
        for words in (line.split() for line in Path("/proc/net/unix").read_text("utf-8", "replace").splitlines())
        if words[3] == _LISTENING and words[4] == _SEQPACKET
    }
    for fd in Path(f"/proc/{master}/fd").iterdir():
        target = os.readlink(fd)
        if target.startswith("socket:[") and target[8:-1] in listening:
            return socket.socket(fileno=_copy(master, int(fd.name)))
    raise AssertionError(f"process {master} has no socket that workers call")


def _copy(pid: int, fd: int) -> int:
    pidfd = os.pidfd_open(pid)
    try:
        copy: int = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, pidfd, fd, 0)
    finally:
        os.close(pidfd)
    if copy < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return copy
