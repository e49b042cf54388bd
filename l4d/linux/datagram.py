"""What comes with a datagram beside its bytes: the address it was sent to, and the cuts of a train.

The local address is read from and written to IP_PKTINFO (ip(7)) and IPV6_PKTINFO (RFC 3542).

    struct in_pktinfo  { int ifindex; struct in_addr spec_dst; struct in_addr addr; }    12 bytes
    struct in6_pktinfo { struct in6_addr addr; unsigned ifindex; }                       20 bytes

A train is several datagrams of one size (the last may be shorter) that pass the kernel as one: received so with
UDP_GRO, sent so with UDP_SEGMENT (udp(7)). Both say the size of one in a control message.
"""

import functools
import socket
import sys
from typing import Final, TypeAlias

from l4d.linux import options
from l4d.linux.sockets import Socket

Ancillary: TypeAlias = list[tuple[int, int, bytes]]

SPACE: Final = socket.CMSG_SPACE(20) + socket.CMSG_SPACE(4)

TRAIN_BYTES: Final = 65000
"""The longest train: its bytes, with all headers, are one IP packet inside the kernel."""


def lost_in_queue(sock: Socket) -> int:
    """How many datagrams the kernel has dropped since the socket was born because its queue was full.

    The number SO_RXQ_OVFL would tell with every datagram (socket(7)), asked for when wanted: the last of SO_MEMINFO's.
    """
    return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, options.SO_MEMINFO, 36)[32:36], sys.byteorder)


LEAST_MEMORY: Final = 256
"""The kernel counts more than this for any datagram that waits: its sk_buff alone is nearly as large."""


def queued_at_most(sock: Socket) -> int:
    """How many datagrams wait in the socket, or fewer: told by the memory they take, the first of SO_MEMINFO's."""
    memory = int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, options.SO_MEMINFO, 36)[:4], sys.byteorder)
    return -(-memory // LEAST_MEMORY)


def datagrams_in(length: int, cut: int) -> int:
    """How many datagrams *length* bytes are, with this cut; 0 is a single one."""
    return -(-length // cut) if cut else 1


def take_trains(sock: Socket) -> None:
    """Have datagrams of one sender and size arrive as one. Never to be undone: those that wait could not be cut."""
    sock.setsockopt(options.SOL_UDP, options.UDP_GRO, 1)


def cut_of(ancillary: Ancillary) -> int:
    """The size of one datagram in a train; 0: it was no train."""
    for level, kind, data in ancillary:
        if level == options.SOL_UDP and kind == options.UDP_GRO:
            return int.from_bytes(data[:4], sys.byteorder)
    return 0


@functools.lru_cache(maxsize=256)
def cut_into(size: int) -> tuple[int, int, bytes]:
    """The control message that has a train cut into datagrams of *size*."""
    return options.SOL_UDP, options.UDP_SEGMENT, size.to_bytes(2, sys.byteorder)


def reply_from(ancillary: Ancillary) -> Ancillary:
    """The ancillary data with which a reply leaves from the address that the datagram with *ancillary* was sent to.

    For IPv4 the interface is left to the routing table; for IPv6 it is kept where a link-local address needs it.
    """
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == options.IP_PKTINFO:
            return [(level, kind, bytes(4) + data[4:8] + bytes(4))]
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            link_local = data[0] == 0xFE and data[1] & 0xC0 == 0x80
            return [(level, kind, data if link_local else data[:16] + bytes(4))]
    return []


def local_bytes(ancillary: Ancillary) -> bytes:
    """The packed local address that a datagram was sent to; empty where the kernel told none."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == options.IP_PKTINFO:
            return data[4:8]
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            return data[:16]
    return b""
