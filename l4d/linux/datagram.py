"""The local address of a datagram: read from and written to IP_PKTINFO (ip(7)) and IPV6_PKTINFO (RFC 3542).

struct in_pktinfo  { int ifindex; struct in_addr spec_dst; struct in_addr addr; }    12 bytes
struct in6_pktinfo { struct in6_addr addr; unsigned ifindex; }                       20 bytes
"""

import socket
from typing import TypeAlias

from l4d.linux.options import IP_PKTINFO

Ancillary: TypeAlias = list[tuple[int, int, bytes]]

SPACE = socket.CMSG_SPACE(20)


def reply_from(ancillary: Ancillary) -> Ancillary:
    """The ancillary data with which a reply leaves from the address that the datagram with *ancillary* was sent to.

    For IPv4 the interface is left to the routing table; for IPv6 it is kept where a link-local address needs it.
    """
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            return [(level, kind, bytes(4) + data[4:8] + bytes(4))]
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            link_local = data[0] == 0xFE and data[1] & 0xC0 == 0x80
            return [(level, kind, data if link_local else data[:16] + bytes(4))]
    return []


def local_bytes(ancillary: Ancillary) -> bytes:
    """The packed local address in what `reply_from` made; empty where the kernel told none."""
    for level, _kind, data in ancillary:
        return data[4:8] if level == socket.IPPROTO_IP else data[:16]
    return b""
