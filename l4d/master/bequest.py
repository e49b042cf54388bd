"""What the running master gives the program it has started: the will, taken before anything else is done.

Until then standard error is a pipe to the running master, which logs what comes. The real one comes with the will.
"""

import os
import select
import socket
import stat
from dataclasses import dataclass

from l4d.errors import StartError
from l4d.linux.peer import peer_of
from l4d.master import between, will
from l4d.master.estate import Estate
from l4d.master.inheritance import inherit
from l4d.master.program import VARIABLE

ANSWER_TIMEOUT = 10.0
"""The running master answers within so many seconds, or is no such thing."""


@dataclass(frozen=True, slots=True)
class Bequest:
    """What was got, and the way back."""

    sock: socket.socket  # our end of the pair
    stderr: int  # what is written there the running master logs
    estate: Estate

    def refuse(self, why: str) -> None:
        """It cannot be: the running master goes on."""
        between.say(self.sock, between.FAILED, why.encode(errors="replace"))


def take() -> Bequest | None:
    """What the running master leaves; None: nobody has started us to follow them. Raises StartError."""
    value = os.environ.pop(VARIABLE, None)
    if value is None:
        return None
    sock = _pair_end(value)
    try:
        return _take(sock)
    except (StartError, will.WillError) as error:
        between.say(sock, between.FAILED, str(error).encode(errors="replace"))
        raise StartError(str(error)) from None


def _take(sock: socket.socket) -> Bequest:
    [document, stderr] = _ask(sock, between.WILL, 2)
    with open(document, "rb") as file:
        file.seek(0)  # who wrote it shares the position
        left = will.decode(file.read())
    descriptors: list[int] = []
    while len(descriptors) < left.descriptors:
        descriptors += _ask(sock, between.MORE, min(left.descriptors - len(descriptors), between.MOST_DESCRIPTORS))
    estate = inherit(left, descriptors)
    heard = os.dup(2)
    os.dup2(stderr, 2)
    os.close(stderr)
    return Bequest(sock, heard, estate)


def _pair_end(value: str) -> socket.socket:
    """Our end, which our parent has made. Raises StartError: it is no such thing."""
    try:
        fd = int(value)
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise ValueError
        sock = socket.socket(fileno=fd)
        if peer_of(sock).pid != os.getppid():
            raise ValueError
    except (OSError, ValueError):
        raise StartError(f"{VARIABLE} is set, and no running l4d has started this one; unset it") from None
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock


def _ask(sock: socket.socket, word: bytes, count: int) -> list[int]:
    """So many descriptors, which the running master sends when asked by *word*. Raises StartError."""
    between.say(sock, word)
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    poll.poll(ANSWER_TIMEOUT * 1000)
    heard, _details, descriptors = between.hear(sock) or (b"", b"", [])
    if heard != word or len(descriptors) != count:
        raise StartError("the running l4d did not leave what it has, or there were too few descriptors to take it")
    return descriptors
