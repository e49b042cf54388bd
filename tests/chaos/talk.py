"""One TCP session as its client sees it: what was sent, what came back in which place, and who answered."""

import errno
import select
import socket
import time
from collections import deque
from collections.abc import Callable

from tests.chaos.content import GREETING, HEAD, Bytes, misplaced, piece, turned
from tests.chaos.facts import Broken, Wrong, say

SILENT_AFTER = 15.0
"""Seconds without the byte that is due, and the session counts as broken."""

_CHUNK = 1 << 16
_WORDS = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset"}


class Talk:
    """It sends as much as it was allowed to, and takes what comes back."""

    def __init__(self, kind: str, number: int, listener: int, *, echoed: bool = True) -> None:
        """With *echoed*, what comes is what was sent, turned; without, it is a stream that nothing was sent for."""
        self.kind, self.number, self.listener = kind, number, listener
        self.sent = self.received = self.allowed = 0
        self.finishing = False
        """Whether it sends a FIN after the last byte that it was allowed."""
        self.longest_wait = self.longest_at = 0.0
        self._begun = self._heard_at = time.monotonic()
        self._echoed = echoed
        self._waiting: deque[tuple[int, float]] = deque()  # an offset, and when all before it was allowed to be sent
        self._head = HEAD.pack(number)
        self._greeting = b""
        self._finished = False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self._refused = self.socket.connect_ex(("127.0.0.1", listener))
        self._port: int = self.socket.getsockname()[1]

    def allow(self, size: int) -> None:
        """Send so many bytes more."""
        now = time.monotonic()
        if not self._waiting:
            self._heard_at = now  # it was not silent: nothing was due
        self.allowed += size
        self._waiting.append((self.allowed, now))

    @property
    def wanted(self) -> int:
        return select.EPOLLIN | (select.EPOLLOUT if self._has_to_send else 0)

    @property
    def is_answered(self) -> bool:
        """Whether all that was sent is back."""
        return self.received == self.allowed

    def go_on(self, mask: int) -> str:
        """Read and write what can be: "", "whole" once both sides have finished, or how it broke."""
        if self._refused not in {0, errno.EINPROGRESS}:
            return _in_words(self._refused)
        outcome = _attempt(self._receive) if mask & ~select.EPOLLOUT else ""
        if not outcome and mask & select.EPOLLOUT and self._has_to_send:
            outcome = _attempt(self._send)
        return outcome

    def is_silent(self, now: float) -> bool:
        """Whether what is due does not come."""
        is_due = self.finishing or not self.is_answered or not self._echoed
        return is_due and now - self._heard_at > SILENT_AFTER

    def broke(self, how: str) -> None:
        """Report it."""
        server = GREETING.unpack(self._greeting)[0] if len(self._greeting) == GREETING.size else 0
        now = time.monotonic()
        say(Broken(self.kind, self.number, self.listener, self._begun, now, how, port=self._port, server=server))

    @property
    def _has_to_send(self) -> bool:
        return bool(self._head) or self.sent < self.allowed or (self.finishing and not self._finished)

    def _send(self) -> str:
        if self._head:
            self._head = self._head[self.socket.send(self._head) :]
        if not self._head and self.sent < self.allowed:
            self.sent += self.socket.send(piece(self.number, self.sent, min(_CHUNK, self.allowed - self.sent)))
        if self.finishing and not self._finished and self.sent == self.allowed and not self._head:
            self.socket.shutdown(socket.SHUT_WR)
            self._finished = True
        return ""

    def _receive(self) -> str:
        data = self.socket.recv(_CHUNK)
        if not data:
            return "whole" if self._finished and self.is_answered else "closed"
        self._heard_at = time.monotonic()
        missing = GREETING.size - len(self._greeting)
        self._greeting += data[:missing]
        return self._take(memoryview(data)[missing:])

    def _take(self, data: Bytes) -> str:
        """What follows the greeting."""
        what = misplaced(turned(data) if self._echoed else data, self.number, self.received)
        self.received += len(data)
        if self._echoed and self.received > self.sent:
            what = what or f"{self.received} bytes came back of {self.sent}"
        if what:
            say(Wrong(self.kind, f"{what} (port {self._port})", self._heard_at))
            return "wrong"
        while self._waiting and self._waiting[0][0] <= self.received:
            self._note_wait(self._heard_at - self._waiting.popleft()[1])
        return ""

    def _note_wait(self, wait: float) -> None:
        if wait > self.longest_wait:
            self.longest_wait, self.longest_at = wait, self._heard_at


def _attempt(move: Callable[[], str]) -> str:
    """What comes of it; nothing when the socket is not ready after all."""
    try:
        return move()
    except BlockingIOError:
        return ""
    except OSError as error:
        return _in_words(error.errno or 0)


def _in_words(number: int) -> str:
    return _WORDS.get(number) or errno.errorcode.get(number, str(number))
