"""Socket options of Linux, by the names of tcp(7), udp(7), ip(7), ipv6(7) and socket(7).

The numbers stand here where Python's socket module has no name for them (linux/in.h, linux/udp.h,
asm-generic/socket.h).
"""

import socket
import struct

from l4d.config.model import Keepalive, Listener
from l4d.linux.sockets import Socket
from l4d.terms import Protocol

IP_PKTINFO = 8
IP_BIND_ADDRESS_NO_PORT = 24
SOL_UDP = 17
UDP_SEGMENT = 103
UDP_GRO = 104
SO_MEMINFO = 55
SO_RCVBUFFORCE = 33
SO_SNDBUFFORCE = 32
SIOCOUTQ = 0x5411

UDP_BUFFER = 4 << 20
"""What is asked for where the configuration says "0" for UDP: the system's default holds 256 one-byte datagrams."""

DEFER_ACCEPT_SECONDS = 10
FAST_OPEN_QUEUE = 256


def keep_alive(sock: Socket, keepalive: Keepalive) -> None:
    """TCP keepalive as the listener says. Accepted sockets inherit it from their listening socket."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, keepalive.enabled)
    if keepalive.idle:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, round(keepalive.idle)))
    if keepalive.interval:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, round(keepalive.interval)))
    if keepalive.count:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, keepalive.count)


def set_buffers(sock: Socket, listener: Listener) -> None:
    """SO_RCVBUF and SO_SNDBUF as the listener says, beyond the system's maximum where we have the right."""
    fallback = UDP_BUFFER if listener.protocol is Protocol.UDP else 0
    receive = listener.receive_buffer or fallback
    send = listener.send_buffer or fallback
    if receive:
        _set_buffer(sock, SO_RCVBUFFORCE, socket.SO_RCVBUF, receive)
    if send:
        _set_buffer(sock, SO_SNDBUFFORCE, socket.SO_SNDBUF, send)


def copy_buffers(sock: Socket, other: Socket) -> None:
    """Give *sock* the buffers of *other*."""
    for forced, plain in ((SO_RCVBUFFORCE, socket.SO_RCVBUF), (SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        # The kernel tells twice what it was asked for (socket(7)).
        _set_buffer(sock, forced, plain, other.getsockopt(socket.SOL_SOCKET, plain) // 2)


def _set_buffer(sock: Socket, forced: int, plain: int, size: int) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, forced, size)
    except PermissionError:  # needs CAP_NET_ADMIN; the plain option is cut at net.core.rmem_max or wmem_max
        sock.setsockopt(socket.SOL_SOCKET, plain, size)


TCP_SYN_SENT = 2
TCP_CLOSE = 7
"""A connection that is being made, and one that is over (net/tcp_states.h)."""


def tcp_state(sock: Socket) -> int:
    """The state of a TCP socket: the first byte of TCP_INFO (linux/tcp.h)."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


_QUEUED = 24
"""Where tcpi_unacked stands in TCP_INFO, which for a listening socket is the length of its queue."""


def queued_clients(sock: Socket) -> int:
    """How many clients wait in the queue of a listening TCP socket."""
    length: int = struct.unpack_from("I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUED + 4), _QUEUED)[0]
    return length


def reset_on_close(sock: Socket) -> None:
    """Let close() send RST instead of FIN, and drop what is unsent (SO_LINGER with a time of 0)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
