"""Messages with descriptors between two processes of ours, by a SOCK_SEQPACKET pair (unix(7)): whole or not at all."""

import array
import os
import socket
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

MOST_DESCRIPTORS: Final = 253
"""With one message (SCM_MAX_FD)."""


class Received(NamedTuple):
    """A message. Its descriptors are closed on exec, and the receiver's."""

    data: bytes
    """Empty: the other end is gone."""
    descriptors: list[int]
    flags: int
    """MSG_TRUNC: it was longer. MSG_CTRUNC: this process had no number left for some of the descriptors."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends, neither of which ever waits."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    return ends


def send(sock: socket.socket, data: bytes, descriptors: Sequence[int] = ()) -> None:
    """Raises BlockingIOError: not now. Raises OSError: the other end is gone, or something is lacking."""
    numbers = array.array("i", descriptors)
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)] if descriptors else []
    sock.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)


def receive(sock: socket.socket, longest: int) -> Received | None:
    """The next message; None: there is none now."""
    room = socket.CMSG_LEN(MOST_DESCRIPTORS * array.array("i").itemsize)
    try:
        data, ancillary, flags, _address = sock.recvmsg(longest, room, socket.MSG_CMSG_CLOEXEC)
    except BlockingIOError:
        return None
    except ConnectionResetError:  # it left something of ours unread: told once, and before what it has said itself
        return receive(sock, longest)
    return Received(data, _descriptors(ancillary), flags)


def close_all(descriptors: Iterable[int]) -> None:
    """Nobody wants these."""
    for fd in descriptors:
        os.close(fd)


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return list(numbers)
