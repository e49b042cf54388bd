"""Visitors and a server whose every byte says which session it belongs to.

    python -m tests.kit.tagged serve                    prints its port, serves until its input ends
    python -m tests.kit.tagged visit PORT COUNT FIRST   a line for every thousand sessions, then what came of them

A visitor sends its own tag over and over; the server sends each byte back with all bits turned. So both know, for every
byte that arrives, which one it should have been. They are processes of their own, each with one plain epoll loop: in
threads they would mostly wait for each other.
"""

import errno
import json
import random
import select
import socket
import sys
from collections import Counter

AT_ONCE = 30
TAG = 8
_TURNED = bytes(byte ^ 0xFF for byte in range(256))
_CHUNK = 1 << 16
_GIVEN_UP_AFTER = 30.0  # seconds without any event


def tag_of(number: int) -> bytes:
    """Eight bytes that no other session has, and that look like no other's shifted."""
    return (number * 0x9E3779B97F4A7C15 & (1 << 64) - 1).to_bytes(TAG, "big")


def pattern(tag: bytes, offset: int, size: int) -> bytes:
    """*size* bytes of the endlessly repeated tag from *offset* on."""
    begin = offset % TAG
    return (tag * (size // TAG + 2))[begin : begin + size]


class WrongByteError(Exception):
    """A byte in a place where it does not belong."""


class Served:
    """One connection of the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._tag = b""
        self._received = 0
        self._unsent = b""

    def go_on(self) -> int:
        """Read or write once: the event to wait for next, 0 at the end."""
        if self._unsent:
            self._unsent = self._unsent[self.socket.send(self._unsent) :]
            return select.EPOLLOUT if self._unsent else select.EPOLLIN
        data = self.socket.recv(_CHUNK)
        if not data:
            return 0
        self._tag += data[: TAG - len(self._tag)]
        if data != pattern(self._tag, self._received, len(data)):
            raise WrongByteError(f"the server expected {self._tag!r} at {self._received}, and got {data[:100]!r}")
        self._received += len(data)
        answer = data.translate(_TURNED)
        self._unsent = answer[self.socket.send(answer) :]
        return select.EPOLLOUT if self._unsent else select.EPOLLIN


def serve() -> None:
    epoll = select.epoll()
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listening.setblocking(False)
    epoll.register(listening, select.EPOLLIN)
    epoll.register(sys.stdin, select.EPOLLIN)
    print(listening.getsockname()[1], flush=True)
    connections: dict[int, Served] = {}
    while True:
        for fd, _ in epoll.poll():
            if fd == sys.stdin.fileno():
                return
            if fd == listening.fileno():
                accepted, _ = listening.accept()
                accepted.setblocking(False)
                connections[accepted.fileno()] = Served(accepted)
                epoll.register(accepted, select.EPOLLIN)
                continue
            connection = connections[fd]
            try:
                wanted = connection.go_on()
            except ConnectionError:
                wanted = 0
            if wanted:
                epoll.modify(fd, wanted)
            else:
                del connections[fd]
                connection.socket.close()


class Visit:
    """One session. A few are long and slow, some finish before they read, some leave before the answer or amid it."""

    def __init__(self, number: int, port: int, chance: random.Random) -> None:
        self._tag = tag_of(number)
        slow = chance.random() < 0.004
        size = 200_000 if slow else chance.randrange(1, 3000)
        self._unsent = pattern(self._tag, 0, size)
        self._finishes = chance.random() < 0.3
        self._leaves = chance.random() < 0.1
        self._received = 0
        self._size = size
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if slow:  # so that bytes wait in l4d
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
        self.socket.connect_ex(("127.0.0.1", port))

    def go_on(self, mask: int) -> str:
        """Read and write what can be: "", or how it ended."""
        try:
            if mask & select.EPOLLOUT and self._unsent:
                self._send()
                if self._leaves and not self._unsent:
                    return "left"
            if mask & ~select.EPOLLOUT:
                return self._receive()
        except BlockingIOError:
            return ""
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            if isinstance(error, ConnectionError) or error.errno == errno.ENOTCONN:  # the last from shutdown(2)
                return "cut"
            raise
        return ""

    @property
    def wanted(self) -> int:
        return select.EPOLLIN | (select.EPOLLOUT if self._unsent else 0)

    def _send(self) -> None:
        self._unsent = self._unsent[self.socket.send(self._unsent) :]
        if self._finishes and not self._unsent:
            self.socket.shutdown(socket.SHUT_WR)

    def _receive(self) -> str:
        data = self.socket.recv(_CHUNK)
        if data != pattern(self._tag, self._received, len(data)).translate(_TURNED):
            raise WrongByteError(f"the visitor {self._tag!r} at {self._received} got {data[:100]!r}")
        self._received += len(data)
        if self._received > self._size:
            raise WrongByteError(f"{self._received} bytes came back of {self._size}")
        if not data:
            return "whole" if self._received == self._size else "cut"
        if self._finishes:
            return ""  # until the server has finished too
        if self._received == self._size:
            return "whole"
        return "left" if self._leaves else ""


def visit(port: int, count: int, first: int) -> None:
    chance = random.Random(first)
    epoll = select.epoll()
    visits: dict[int, Visit] = {}
    outcomes: Counter[str] = Counter()
    begun = 0
    while begun < count or visits:
        while begun < count and len(visits) < AT_ONCE:
            one = Visit(first + begun, port, chance)
            visits[one.socket.fileno()] = one
            epoll.register(one.socket, one.wanted)
            begun += 1
        events = epoll.poll(_GIVEN_UP_AFTER)
        assert events, f"{len(visits)} sessions stand still"
        for fd, mask in events:
            one = visits[fd]
            outcome = one.go_on(mask)
            if outcome:
                del visits[fd]
                one.socket.close()
                outcomes[outcome] += 1
                if outcomes.total() % 1000 == 0:
                    print(flush=True)
            else:
                epoll.modify(fd, one.wanted)
    print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        visit(*map(int, sys.argv[2:]))
