"""A TCP port of a server of a run, and its connections."""

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from tests.chaos.turns import Turns


class Served(Protocol):
    """One connection."""

    socket: socket.socket
    first: int
    """What it waits for at first."""

    def go_on(self) -> int:
        """Read or write once: what to wait for next, 0 at the end."""
        ...


class Listening:
    """A TCP port, and its connections."""

    def __init__(self, turns: Turns, host: str, port: int, make: Callable[[socket.socket], Served]) -> None:
        self._turns = turns
        self._make = make
        self._socket = socket.create_server((host, port), backlog=4096)
        self._socket.setblocking(False)
        turns.watch(self._socket, select.EPOLLIN, self._accept)

    def _accept(self, _mask: int) -> None:
        with suppress(OSError):  # it has gone already
            sock, _ = self._socket.accept()
            sock.setblocking(False)
            conversation = self._make(sock)
            self._turns.watch(sock, conversation.first, lambda _: self._go_on(conversation))

    def _go_on(self, conversation: Served) -> None:
        try:
            wanted = conversation.go_on()
        except BlockingIOError:
            return
        except OSError:
            wanted = 0
        if wanted:
            self._turns.want(conversation.socket, wanted)
        else:
            self._turns.leave(conversation.socket)
