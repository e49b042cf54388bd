"""Listening sockets: one SO_REUSEPORT socket for each address and slot, opened by the master.

Binding and listening are two steps, so that of several addresses none takes a client before all of them are ours.
"""

import contextlib
import errno
import os
import socket
import stat

from l4d.address import Address, Inet, Unix
from l4d.config.model import Listener
from l4d.linux import datagram, options
from l4d.terms import Protocol

QUEUE = 1024
"""So many may wait where `listen_alone` listens; whoever takes it up there says so again."""


def bind(listener: Listener, address: Address) -> socket.socket:
    """A socket of the listener's protocol bound to *address*, not yet listening. Raises OSError.

    A UDP socket receives from here on; its queue keeps what comes until a worker reads it.
    """
    return _bound(listener.protocol, address)


def listen_alone(address: Address, mode: int) -> socket.socket:
    """A TCP or unix socket at *address* that is nobody else's, and listens. Raises OSError.

    The file of a unix socket has *mode* from its first moment: nobody gets in before it is set (umask(2), unix(7)).
    Until one listens, others may bind to the same address.
    """
    sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    mask = os.umask(0o777 & ~mode)
    try:
        if isinstance(address, Unix):
            _bind_path(sock, address.path)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _keep_to_family(sock)
            sock.bind(address.sockaddr)
        sock.listen(QUEUE)
    except BaseException:
        sock.close()
        raise
    finally:
        os.umask(mask)
    return sock


def join(member: socket.socket, address: Address) -> socket.socket:
    """One more socket on the IP *address* of *member*, with buffers as large. Raises OSError."""
    sock = _bound(Protocol.TCP if member.type == socket.SOCK_STREAM else Protocol.UDP, address)
    options.copy_buffers(sock, member)
    return sock


def probe(listener: Listener, address: Inet) -> None:
    """Raises OSError if anybody holds *address*, or an address that overlaps with it, even one who would share it.

    SO_REUSEPORT shares with any program of the same user, and of two overlapping addresses the kernel prefers the more
    specific one: clients would go elsewhere in silence.
    """
    kind = socket.SOCK_STREAM if listener.protocol is Protocol.TCP else socket.SOCK_DGRAM
    with socket.socket(address.family, kind) as sock:
        # Without it the connections of a server just ended, in TIME_WAIT, would count.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, listener.protocol is Protocol.TCP)
        _keep_to_family(sock)
        sock.bind(address.sockaddr)


def tune(sock: socket.socket, listener: Listener) -> None:
    """Set what may change at a reload while the socket is in use. Raises OSError."""
    options.set_buffers(sock, listener)
    if listener.protocol is Protocol.UDP or sock.family == socket.AF_UNIX:
        return
    options.keep_alive(sock, listener.keepalive)
    # Inherited by every accepted socket, so that none costs a system call for it.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(listener.user_timeout * 1000))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, options.FAST_OPEN_QUEUE if listener.fast_open else 0)
    defer = options.DEFER_ACCEPT_SECONDS if listener.defer_accept else 0
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, defer)


def listen(sock: socket.socket, listener: Listener) -> None:
    """Take clients from here on; called again, it only changes the backlog. Raises OSError."""
    if listener.protocol is Protocol.TCP:
        sock.listen(listener.backlog)


def _bound(protocol: Protocol, address: Address) -> socket.socket:
    kind = socket.SOCK_STREAM if protocol is Protocol.TCP else socket.SOCK_DGRAM
    sock = socket.socket(address.family, kind | socket.SOCK_NONBLOCK)
    try:
        if isinstance(address, Unix):
            _bind_path(sock, address.path)
        else:
            _bind_inet(sock, protocol, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_inet(sock: socket.socket, protocol: Protocol, address: Inet) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if protocol is Protocol.TCP:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _keep_to_family(sock)
    if protocol is Protocol.UDP:
        if address.wildcard:
            _ask_for_local_address(sock)
        datagram.take_trains(sock)
    sock.bind(address.sockaddr)


def _keep_to_family(sock: socket.socket) -> None:
    """An IPv6 socket takes no IPv4 clients: those have an address of their own in the file."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _ask_for_local_address(sock: socket.socket) -> None:
    """Have each datagram say which address it was sent to (IP_PKTINFO, ip(7); IPV6_RECVPKTINFO, ipv6(7))."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, options.IP_PKTINFO, 1)


def _bind_path(sock: socket.socket, path: str) -> None:
    try:
        sock.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not _is_stale(path):
            raise
        os.unlink(path)
        sock.bind(path)


def is_socket(path: str) -> bool:
    """Whether *path* is a unix socket, and nothing else."""
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def remove_path(address: Address) -> None:
    """Nobody listens at *address* any more: the path of a unix socket goes. One that is gone already is no loss."""
    if isinstance(address, Unix):
        with contextlib.suppress(OSError):
            os.unlink(address.path)


def _is_stale(path: str) -> bool:
    """Whether *path* is a unix socket that nobody listens on any more."""
    if not is_socket(path):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as asker:
        return asker.connect_ex(path) == errno.ECONNREFUSED
