"""One instance: a lock for each listening address, because SO_REUSEPORT would let a second l4d share it in silence.

The lock is a listening unix socket with an abstract name (unix(7)): it belongs to the network namespace like the
address itself, vanishes with its process, and tells whose it is.
"""

import errno
import hashlib
import re
import socket
from typing import TypeAlias

from l4d.address import Address, Inet
from l4d.errors import StartError
from l4d.linux.peer import peer_of
from l4d.terms import Protocol

Served: TypeAlias = tuple[Protocol, Inet]

_LOCK = re.compile(r" @l4d/(tcp|udp)/(?:([0-9.]+)|\[(\S+)\]):(\d+)$")

ASKERS = 4096
"""So many times a second l4d can be told whose the address is; after that it is told only that it is served."""

NAME_BYTES = 107
"""The longest abstract name, without the NUL in front (unix(7))."""


def lock(protocol: Protocol, address: Address) -> socket.socket:
    """Hold the address until the socket is closed. Raises StartError: it is served already, and by whom."""
    name = _name(protocol, address)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(name)
        sock.listen(ASKERS)
    except OSError as error:
        sock.close()
        if error.errno != errno.EADDRINUSE:
            raise
        pid = holder(protocol, address)
        whose = f", pid {pid}" if pid > 0 else ""
        raise StartError(f"{protocol.value} {address} is already served by l4d{whose}") from None
    return sock


def renew(held: socket.socket) -> None:
    """A lock that another process took, and gave us, tells our pid from here on: the kernel notes who listens last."""
    held.listen(ASKERS)


def holder(protocol: Protocol, address: Address) -> int:
    """The pid of the l4d that serves the address; 0: none does; -1: one does, and cannot say its pid."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        number = sock.connect_ex(_name(protocol, address))
        if number == errno.EAGAIN:
            return -1
        if number:
            return 0
        return peer_of(sock).pid


def served() -> set[Served]:
    """The IP addresses that any l4d serves in this network namespace, told by the names of the locks (proc_net(5))."""
    found: set[Served] = set()
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        for line in table:
            match = _LOCK.search(line)
            if match is not None:
                found.add((Protocol(match[1]), Inet(match[2] or match[3], int(match[4]))))
    return found


def _name(protocol: Protocol, address: Address) -> bytes:
    name = f"l4d/{protocol.value}/{address}".encode()
    if len(name) > NAME_BYTES:
        name = f"l4d/{protocol.value}/{hashlib.sha256(name).hexdigest()}".encode()
    return b"\0" + name
