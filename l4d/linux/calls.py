"""Calls between processes that need not descend from each other: a listening socket with an abstract name (unix(7)).

The kernel chooses the name, gives it to nobody else while the socket is open in any process, and forgets it afterwards.
Anybody in the same network namespace may call, so whoever is called asks the kernel who it is.
"""

import socket
from typing import Final

from l4d.linux.peer import peer_of

BACKLOG: Final = 4096
"""So many may wait to be answered, if the system lets them (net.core.somaxconn)."""


def listen() -> socket.socket:
    """A socket to be called by `name_of`; neither it nor the calls ever wait. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        sock.bind("")  # autobind
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def name_of(listening: socket.socket) -> bytes:
    """By what it is called."""
    name: bytes = listening.getsockname()
    return name


def call(name: bytes) -> socket.socket:
    """A connection to whoever listens by that name; it may be answered later. Raises OSError: there is no room."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        sock.connect(name)
    except OSError:
        sock.close()
        raise
    return sock


def answer(listening: socket.socket) -> tuple[socket.socket, int] | None:
    """The next call, with the pid of who called; None: there is none now. Raises OSError: something is lacking."""
    try:
        sock, _nameless = listening.accept()
    except BlockingIOError:
        return None
    sock.setblocking(False)
    return sock, peer_of(sock).pid
