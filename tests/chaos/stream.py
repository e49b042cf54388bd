"""The server of the downloads.

python -m tests.chaos.stream HOST PORT
"""

import os
import select
import socket
import sys

from tests.chaos.content import GREETING, HEAD, piece
from tests.chaos.facts import Ready, say
from tests.chaos.listening import Listening
from tests.chaos.turns import Turns

_CHUNK = 1 << 16


class Stream:
    """One connection that gets its session's bytes without end."""

    first = select.EPOLLIN  # it is told whose it is

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._head = b""
        self._greeting = GREETING.pack(os.getpid(), sock.getpeername()[1])
        self._sent = 0

    def go_on(self) -> int:
        """Read or write once: what to wait for next, 0 at the end."""
        if len(self._head) < HEAD.size:
            data = self.socket.recv(HEAD.size - len(self._head))
            self._head += data
            if not data:
                return 0
        elif self._greeting:
            self._greeting = self._greeting[self.socket.send(self._greeting) :]
        else:
            self._sent += self.socket.send(piece(HEAD.unpack(self._head)[0], self._sent, _CHUNK))
        return select.EPOLLOUT if len(self._head) == HEAD.size else select.EPOLLIN


def main(host: str, port: int) -> None:
    turns = Turns()
    Listening(turns, host, port, Stream)
    say(Ready("stream"))
    turns.to_the_end()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
