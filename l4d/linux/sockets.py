"""Sockets as the data path holds them: the interpreter's own class, without the wrapper around it.

`socket.socket` adds a file interface, enum members for `family` and `type`, and a second object's worth of work to
each beginning and end; its base, which the library calls `SocketType`, has every method that moves bytes. What a
session needs is opened and accepted here, and costs a fifth less that way.
"""

import errno
import socket
from typing import Final, TypeAlias

Socket: TypeAlias = socket.SocketType
"""Either of the two; what is made here is the plain one. It has no `with`, and is closed by whoever holds it."""

LACK: Final[frozenset[int]] = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors of connecting that say nothing about the server: we are out of descriptors, memory or ports."""


def open_socket(family: int, kind: int) -> Socket:
    """A non-blocking, close-on-exec socket (socket(2)). Raises OSError."""
    return socket.SocketType(family, kind | socket.SOCK_NONBLOCK)


def accept(listening: Socket, family: int) -> tuple[Socket, object]:
    """The next client of a listening socket of this *family*, and its address, as accept(2) gives them. Raises OSError.

    The new socket blocks as a descriptor: whoever reads or writes says MSG_DONTWAIT, which saves a system call.
    """
    # What socket.accept() calls before it wraps the number; the stubs leave it out.
    fd, address = listening._accept()  # type: ignore[attr-defined]
    return socket.SocketType(family, socket.SOCK_STREAM, 0, fd), address
