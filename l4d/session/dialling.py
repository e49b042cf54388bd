"""Opening a socket towards a server, and what a failed dial means for whom."""

import errno
import os
import socket
from typing import Final

from l4d.address import Address, Unix
from l4d.config.model import Listener, Upstream
from l4d.linux import options, sockets
from l4d.linux.sockets import Socket
from l4d.session.session import Session
from l4d.terms import End, Protocol
from l4d.upstream.server import Server

OURS: Final[frozenset[int]] = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors of a dial that say nothing about the server: we are out of descriptors, memory or ports."""

_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.ENOENT: "refused",
    errno.EAGAIN: "refused",  # a unix server whose queue is full
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.ENETDOWN: "unreachable",
}

EARLY_CLOSE = -1
"""Stands where an errno would: the server closed without a byte within early_close."""


def open_socket(listener: Listener, upstream: Upstream, address: Address) -> Socket:
    """A non-blocking socket for dialling *address*, with the listener's options. Raises OSError."""
    kind = socket.SOCK_STREAM if listener.protocol is Protocol.TCP else socket.SOCK_DGRAM
    sock = sockets.open_socket(address.family, kind)
    if isinstance(address, Unix):
        return sock
    try:
        _set_options(sock, listener)
        if upstream.source:
            # The port is chosen at connect, when the server is known, so that one port can serve many servers.
            sock.setsockopt(socket.IPPROTO_IP, options.IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((upstream.source, 0))
    except BaseException:
        sock.close()
        raise
    return sock


PATIENCE = 256
"""After a server took its time to answer, so many dials wait for the loop before it is asked at once again."""


def connect(sock: Socket, address: Address, server: Server) -> int:
    """Begin to connect: 0 if the server has answered already, EINPROGRESS if it takes its time, else the errno.

    A server on this machine, or in a container of it, has answered by the time connect(2) returns, though it returns
    EINPROGRESS: looking at the state tells, and saves a turn of the loop and two changes of the epoll set. (So would
    connecting a second time, but that throws away what a server said before it reset the connection.)
    """
    number = sock.connect_ex(address.sockaddr)
    if number != errno.EINPROGRESS:
        return number
    if server.patience:
        server.patience -= 1
        return number
    state = options.tcp_state(sock)
    if state == options.TCP_SYN_SENT:
        server.patience = PATIENCE
        return number
    return failure(sock) if state == options.TCP_CLOSE else 0


def failure(sock: Socket) -> int:
    """The errno of an attempt that ended; 0 if the server has said something before it reset the connection.

    Then it has answered: the relay delivers what it said, and meets the reset behind it.
    """
    try:
        return 0 if sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) else errno.ECONNRESET
    except OSError as error:
        return error.errno or errno.ECONNRESET


def _set_options(sock: Socket, listener: Listener) -> None:
    if listener.protocol is Protocol.TCP:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if listener.keepalive.enabled:
            options.keep_alive(sock, listener.keepalive)
        if listener.user_timeout:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(listener.user_timeout * 1000))
    options.set_buffers(sock, listener)


def failed(session: Session, server: Server, number: int) -> End:
    """Tell of a dial that ended with the errno *number*, and blame the server unless the reason is ours.

    The end of the session, if no further server is tried.
    """
    if number in OURS:
        text = f"dialling {server.address_for(session.port)}: {describe(number)}"
        session.service.log.seldom(f"ours {number}", text)
        return End.NO_RESOURCE
    blame(session, server, number)
    return End.CONNECT_TIMEOUT if number == errno.ETIMEDOUT else End.NO_SERVER_ACCEPTED


def blame(session: Session, server: Server, number: int) -> None:
    """Count and tell a failed dial; *number* is the errno, or EARLY_CLOSE."""
    service = session.service
    reason = "early_close" if number == EARLY_CLOSE else _REASONS.get(number, "other")
    server.tally.row[server.tally.failures[reason]] += 1
    words = describe(number)
    service.log.seldom(server.label, f"dialling {server.address_for(session.port)} (upstreams.{server.label}): {words}")
    if server.failed(service.loop.now):
        out = f"{service.upstream.fail_timeout:g} s"
        times = service.upstream.max_fails
        service.log.warning(f"server {server.label} is out for {out}: {times} failed dials, the last: {words}")


def describe(number: int) -> str:
    """What happened, in words."""
    return "closed without a byte" if number == EARLY_CLOSE else os.strerror(number).lower()
