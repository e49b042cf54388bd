"""Servers that are no help: one that refuses, one that never answers."""

import select
import socket

from l4d.address import from_sockaddr
from tests.kit.closing import Closing
from tests.kit.tcp import Peer
from tests.kit.wait import TIMEOUT

_SOON = 100  # milliseconds; connecting over the loopback takes a fraction of one


class DeadServer(Closing):
    """A port that refuses, and is nobody else's until it is closed: bound, but not listening."""

    def __init__(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
        self._bound = socket.socket(type=kind)
        self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM)
        self._bound.bind(("127.0.0.1", 0))
        self.address = from_sockaddr(self._bound.getsockname())

    def close(self) -> None:
        self._bound.close()


class FullServer(Closing):
    """A listening socket whose queue is full, so that the kernel drops every further SYN."""

    def __init__(self) -> None:
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(0)
        self.address = from_sockaddr(self._listening.getsockname())
        self._waiting = [self._connect()]
        while _connects(self._waiting[-1]):
            self._waiting.append(self._connect())

    def make_room(self) -> None:
        """From now on the queue is a long one: a dial that was dropped gets through when its SYN is sent again."""
        self._listening.listen(128)

    def accept(self) -> Peer:
        """The first who is none of those that fill the queue."""
        self._listening.settimeout(TIMEOUT)
        ours = {sock.getsockname() for sock in self._waiting}
        while True:
            sock, address = self._listening.accept()
            if address not in ours:
                return Peer(sock)
            sock.close()

    def _connect(self) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(self._listening.getsockname())
        return sock

    def close(self) -> None:
        for sock in (*self._waiting, self._listening):
            sock.close()


def _connects(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(_SOON))
