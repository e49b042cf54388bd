"""Opening a socket towards a server, and what a failed dial means for whom."""

import errno
import os
import socket
import time
from typing import Final

from l4d.address import Address, Unix
from l4d.config.model import Listener, Upstream
from l4d.linux import options, sockets
from l4d.linux.sockets import Socket
from l4d.session.session import Session
from l4d.terms import End, Protocol
from l4d.upstream.server import Server

OURS: Final[frozenset[int]] = sockets.LACK
"""Errors of a dial for which the server is not blamed."""

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
            _bind(sock, upstream.source)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(sock: Socket, source: str) -> None:
    """Raises OSError."""
    try:
        sock.bind((source, 0))
    except socket.gaierror:  # the server's address is of the other family; its errno is none
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT)) from None


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
        server.let_go()
        text = f"dialling {server.address_for(session.port)}: {describe(number)}"
        session.service.log.seldom(f"ours {number}", text)
        return End.NO_RESOURCE
    server.give_back()
    blame(session, server, number)
    return End.CONNECT_TIMEOUT if number == errno.ETIMEDOUT else End.NO_SERVER_ACCEPTED


def blame(session: Session, server: Server, number: int) -> None:
    """Count and tell a failed dial; *number* is the errno, or EARLY_CLOSE."""
    service = session.service
    reason = "early_close" if number == EARLY_CLOSE else _REASONS.get(number, "other")
    server.tally.row[server.tally.failures[reason]] += 1
    words = describe(number)
    service.log.seldom(server.label, f"dialling {server.address_for(session.port)} (upstreams.{server.label}): {words}")
    if server.timed:  # or one that refuses would be asked before all others
        server.answered_in(service.upstream.connect_timeout, service.loop.now)
    again, out = server.on_probation, f"{service.upstream.fail_timeout:g} s"
    if server.failed(service.loop.now):
        times = service.upstream.max_fails
        if again:
            service.log.info(f"server {server.label} stays out for {out}: it was tried again: {words}")
        else:
            service.log.warning(f"server {server.label} is out for {out}: {times} failed dials, the last: {words}")


def measure(session: Session, server: Server, began: float) -> None:
    """A dial, begun at the monotonic time *began*, was answered: how soon."""
    # The loop's time stands still within a turn, in which a server on this machine has answered.
    seconds = time.monotonic() - began
    server.tally.connect.observe(seconds)
    if server.timed:
        server.answered_in(seconds, session.service.loop.now)


def proven(session: Session, server: Server) -> None:
    """A dial was answered, and the server has not closed early if that would count as a failure."""
    service = session.service
    if server.succeeded(service.loop.now):
        service.log.info(f"server {server.label} is in again: it has answered")


def describe(number: int) -> str:
    """What happened, in words."""
    return "closed without a byte" if number == EARLY_CLOSE else os.strerror(number).lower()
