"""A client that has nobody to talk to yet: is it still there?"""

import socket

from l4d.linux.sockets import Socket
from l4d.loop.loop import GONE, Loop


def has_left(loop: Loop, client: Socket, mask: int) -> bool:
    """Whether an event of *client*, watched for its going only, says that it has left: reset, or a unix client's close.

    Anything else is an event of the batch in which a relay has become a dial again. What a unix client sent before it
    closed is still to be delivered; it is watched no more then.
    """
    if not mask & GONE:
        return False
    if client.family == socket.AF_UNIX and _has_input(client):
        loop.forget(client.fileno())
        return False
    return True


def _has_input(sock: Socket) -> bool:
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False
