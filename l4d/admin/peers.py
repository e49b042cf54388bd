"""Who is at the other end of a connection: for the log, and for `allow`."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from l4d.config.model import Network
from l4d.linux.peer import peer_of

USERS = "/etc/passwd"


def who(request: web.BaseRequest) -> str:
    """The process at the other end of a unix socket, as in "root, uid 0, pid 123"."""
    transport = request.transport
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None:
        return "a caller who has left"
    pid, uid, _gid = peer_of(sock)
    name = user_name(uid)
    return f"{name}, uid {uid}, pid {pid}" if name else f"uid {uid}, pid {pid}"


def user_name(uid: int, users: str = USERS) -> str:
    """The name of *uid* in the file *users*; "": it has none there.

    No directory service is asked, which may take long.
    """
    try:
        with open(users, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split(":")
                if len(fields) > 2 and fields[2] == str(uid):
                    return fields[0]
    except OSError:
        pass
    return ""


def is_allowed(request: web.BaseRequest, networks: Sequence[Network]) -> bool:
    """Whether the peer of a TCP connection is in one of *networks*."""
    try:
        peer = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return False  # it has left
    return any(peer in network for network in networks)
