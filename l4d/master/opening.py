"""Opening a listening address: its lock and the first socket of its group; or one clear line why it cannot be had."""

import errno
import os

from l4d.address import Address, Inet, Unix, from_sockaddr
from l4d.config.model import Listener
from l4d.linux import listening
from l4d.master import instance
from l4d.master.bound import Bound, steer
from l4d.master.holders import who_holds
from l4d.terms import Protocol


def open_address(listener: Listener, address: Address, slots: int, *, in_our_way: bool, left: bool) -> Bound:
    """The address with its first socket, which does not listen yet. Raises OSError or StartError.

    UDP is steered over *slots* from here on: what joins the group gets no client of another slot.
    *in_our_way*: we have an address that overlaps this one; *left*: workers of ours that leave may have this very one.
    """
    if isinstance(address, Inet) and address.port == 0:
        bound = _open_any_port(listener, address)
    else:
        bound = _open_this(listener, address, in_our_way=in_our_way, left=left)
    if bound.steered and bound.protocol is Protocol.UDP:
        try:
            steer([bound], slots)
        except BaseException:
            bound.release()
            raise
    return bound


def _open_this(listener: Listener, address: Address, *, in_our_way: bool, left: bool) -> Bound:
    lock = instance.lock(listener.protocol, address)
    try:
        steered = False
        if isinstance(address, Inet):
            # The order of a group that workers on their way out have sockets in changes as they close them.
            steered = _is_free(listener, address, in_our_way) or not left
        sock = listening.bind(listener, address)
    except BaseException:
        lock.close()
        raise
    return Bound(listener.protocol, address, listener.name, lock, [sock], steered)


def _open_any_port(listener: Listener, address: Inet) -> Bound:
    """The same on a port of the kernel's choice, which nobody else has."""
    sock = listening.bind(listener, address)
    try:
        real = from_sockaddr(sock.getsockname())
        lock = instance.lock(listener.protocol, real)
    except BaseException:
        sock.close()
        raise
    return Bound(listener.protocol, real, listener.name, lock, [sock], steered=True)


def _is_free(listener: Listener, address: Inet, in_our_way: bool) -> bool:
    """Whether nobody has the address, or one that overlaps it. Raises OSError if others than we have."""
    try:
        listening.probe(listener, address)
    except OSError:
        if in_our_way:
            return False
        raise
    return True


def explain(protocol: Protocol, address: Address, key: str, error: OSError) -> str:
    """One clear line for a socket that could not be had; *key* is what it is wanted for."""
    what = f"cannot listen on {protocol.value} {address} ({key})"
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return f"{what}: {os.strerror(error.errno).lower()}; each worker has a socket for each address (ulimit -n)"
    if error.errno == errno.EADDRINUSE and isinstance(address, Unix) and not listening.is_socket(address.path):
        return f"{what}: a file that is not a socket has this path"
    if error.errno == errno.EADDRINUSE:
        return f"{what}: the address is in use{who_holds(protocol, address)}"
    if error.errno == errno.EACCES and isinstance(address, Inet):
        return f"{what}: ports below 1024 need root or CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{what}: this machine has no such address"
    return f"{what}: {(error.strerror or str(error)).lower()}"
