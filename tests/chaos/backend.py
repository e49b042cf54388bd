"""A server of a run: echoes over TCP and UDP on one port, and says first who it is and whom it sees.

    python -m tests.chaos.backend HOST PORT

It knows for every byte and datagram which one it should be, and serves until its input ends, or until it is killed.
"""

import os
import select
import socket
import sys
import time
from contextlib import suppress

from tests.chaos.content import GREETING, HEAD, misplaced, turned
from tests.chaos.facts import Ready, Wrong, say
from tests.chaos.flows import LABEL, STRIDE
from tests.chaos.listening import Listening
from tests.chaos.turns import Turns

_CHUNK = 1 << 16
_SO_RCVBUFFORCE = 33
_BUFFER = 8 << 20  # of the UDP socket: what a worker that stood still sends at once


class Conversation:
    """One connection. It reads only when nothing waits to be written."""

    first = select.EPOLLOUT  # it greets

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._head = b""
        self._received = 0
        self._unsent = GREETING.pack(os.getpid(), sock.getpeername()[1])

    def go_on(self) -> int:
        """Read or write once: what to wait for next, 0 at the end."""
        if not self._unsent:
            data = self.socket.recv(_CHUNK)
            if not data:
                return 0
            self._unsent = self._answer(data)
        if self._unsent:
            self._unsent = self._unsent[self.socket.send(self._unsent) :]
        return select.EPOLLOUT if self._unsent else select.EPOLLIN

    def _answer(self, data: bytes) -> bytes:
        missing = HEAD.size - len(self._head)
        self._head += data[:missing]
        content = data[missing:]
        if content:
            number: int = HEAD.unpack(self._head)[0]
            if what := misplaced(content, number, self._received):
                say(Wrong("backend", what, time.monotonic()))
        self._received += len(content)
        return turned(content)


class Datagrams:
    """A UDP port."""

    def __init__(self, turns: Turns, host: str, port: int) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        with suppress(PermissionError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.bind((host, port))
        self._socket.setblocking(False)
        turns.watch(self._socket, select.EPOLLIN, self._answer)

    def _answer(self, _mask: int) -> None:
        with suppress(BlockingIOError, ConnectionRefusedError):
            data, client = self._socket.recvfrom(_CHUNK)
            if what := _what_is_wrong(data):
                say(Wrong("backend", what, time.monotonic()))
                return
            greeting = GREETING.pack(os.getpid(), client[1])
            self._socket.sendto(greeting + data[: LABEL.size] + turned(data[LABEL.size :]), client)


def _what_is_wrong(data: bytes) -> str:
    """With a datagram: "" if nothing."""
    if len(data) < LABEL.size:
        return f"a datagram of {len(data)} bytes that nobody has sent"
    number, sequence = LABEL.unpack_from(data)
    what = misplaced(data[LABEL.size :], number, sequence * STRIDE)
    return what and f"datagram {sequence}: {what}"


def main(host: str, port: int) -> None:
    turns = Turns()
    Listening(turns, host, port, Conversation)
    Datagrams(turns, host, port)
    say(Ready("backend"))
    turns.to_the_end()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
