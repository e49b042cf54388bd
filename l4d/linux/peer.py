"""Who is at the other end of a unix socket, by the kernel's word (SO_PEERCRED, unix(7))."""

import socket
import struct
from typing import Final, NamedTuple

_UCRED: Final = struct.Struct("3i")


class Peer(NamedTuple):
    """The process that has connected, or made the pair; of a socket that listens, who has called listen(2)."""

    pid: int
    uid: int
    gid: int


def peer_of(sock: socket.socket) -> Peer:
    """Whose the other end of *sock* is; pid 0: it is no unix socket, or has no other end."""
    return Peer(*_UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)))
