"""One plain epoll loop for a process of a run, which goes on until its input ends.

A socket is closed at the end of the batch of events, so that none of them reaches another one of the same number.
"""

import select
import socket
import sys
import time
from collections.abc import Callable

Handler = Callable[[int], None]
"""Is told what a socket is ready for."""


class Turns:
    """Who is called when a socket is ready."""

    def __init__(self) -> None:
        self.asked_to_end = False
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {sys.stdin.fileno(): self._input_ended}
        self._leaving: list[socket.socket] = []
        self._epoll.register(sys.stdin.fileno(), select.EPOLLIN)

    def watch(self, sock: socket.socket, wanted: int, handler: Handler) -> None:
        self._handlers[sock.fileno()] = handler
        self._epoll.register(sock, wanted)

    def want(self, sock: socket.socket, wanted: int) -> None:
        self._epoll.modify(sock, wanted)

    def leave(self, sock: socket.socket) -> None:
        """Close it, and hear no more of it."""
        self._epoll.unregister(sock)
        del self._handlers[sock.fileno()]
        self._leaving.append(sock)

    def until(self, moment: float) -> None:
        """Call whoever has something to do; once, and no longer than until then."""
        for fd, mask in self._epoll.poll(max(0.0, moment - time.monotonic())):
            if fd in self._handlers:
                self._handlers[fd](mask)
        for sock in self._leaving:
            sock.close()
        self._leaving.clear()

    def to_the_end(self) -> None:
        """Go on until the input ends."""
        while not self.asked_to_end:
            self.until(time.monotonic() + 3600)

    def _input_ended(self, _mask: int) -> None:
        self.asked_to_end = True
        self._epoll.unregister(sys.stdin.fileno())
