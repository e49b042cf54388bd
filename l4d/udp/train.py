"""Sending a train: as one where the kernel cuts it, else datagram by datagram."""

import errno
import socket
from typing import Final

from l4d.address import SockAddr
from l4d.linux.datagram import Ancillary, cut_into, datagrams_in
from l4d.linux.sockets import Socket

DONTWAIT: Final = socket.MSG_DONTWAIT

_CANNOT_CUT = frozenset({errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.EOPNOTSUPP})
"""A datagram of the train is larger than the way's MTU, or the interface computes no checksums (udp(7))."""


def send_train(sock: Socket, data: memoryview, size: int, ancillary: Ancillary, address: SockAddr | None = None) -> int:
    """Send *data*, datagrams of *size* bytes behind each other, on *sock*: how many of them were sent.

    *address* is where to, None for a connected socket; *ancillary* goes with each. Raises OSError when none was sent.
    """
    whole = [*ancillary, cut_into(size)]
    try:
        sock.sendmsg([data], whole, DONTWAIT, address)
        return datagrams_in(len(data), size)
    except OSError as error:
        if error.errno not in _CANNOT_CUT:
            raise
    return _send_each(sock, data, size, ancillary, address)


def _send_each(sock: Socket, data: memoryview, size: int, ancillary: Ancillary, address: SockAddr | None) -> int:
    sent = 0
    for start in range(0, len(data), size):
        try:
            sock.sendmsg([data[start : start + size]], ancillary, DONTWAIT, address)
            sent += 1
        except OSError:
            if not sent:
                raise
    return sent
