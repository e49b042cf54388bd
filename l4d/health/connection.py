"""A connection to a server for the probes that speak a few bytes themselves.

The sockets are plain ones, without asyncio's transports: closed means closed, at once, also when a check is cancelled.
"""

import asyncio
import socket
from collections.abc import Callable

from l4d.address import Address, Unix

CHUNK = 16 << 10
LONGEST_ANSWER = 64 << 10
"""The most bytes that are read of an answer."""


async def connect(address: Address) -> socket.socket:
    """A non-blocking TCP or unix socket that is connected. Raises OSError. The caller closes it."""
    sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if isinstance(address, Unix):
            # Never waits: EAGAIN means that the server's queue is full (unix(7)). asyncio would take it for "not yet",
            # be told that the unconnected socket is writable, and call that a connection.
            sock.connect(address.sockaddr)
        else:
            await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)
    except BaseException:  # a cancelled check is one, too
        sock.close()
        raise
    return sock


async def send(sock: socket.socket, data: bytes) -> None:
    """Send it all. Raises OSError."""
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def receive(sock: socket.socket, most: int = CHUNK) -> bytes:
    """What has come, at most *most* bytes; nothing when the server has closed. Raises OSError."""
    return await asyncio.get_running_loop().sock_recv(sock, most)


async def receive_exactly(sock: socket.socket, size: int) -> bytes:
    """*size* bytes. Raises OSError, and EOFError when the server closes before."""
    data = bytearray()
    while len(data) < size:
        data += await _more(sock, size - len(data))
    return bytes(data)


async def receive_until(sock: socket.socket, enough: Callable[[bytes], bool], most: int = LONGEST_ANSWER) -> bytes:
    """What came until *enough* of it was there, the server closed, or *most* bytes were read. Raises OSError."""
    data = b""
    while not enough(data) and len(data) < most:
        chunk = await receive(sock, min(CHUNK, most - len(data)))
        if not chunk:
            break
        data += chunk
    return data


async def _more(sock: socket.socket, most: int) -> bytes:
    data = await receive(sock, min(CHUNK, most))
    if not data:
        raise EOFError("closed before it had answered")
    return data
