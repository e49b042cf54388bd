"""The event loop as a database's library is given it: what the library opens is counted, and closed, by us.

asyncpg leaves a socket open when a server is odd in its settings, and says farewell at length when there is TLS. It
also takes whatever a server sends into memory, as long as the message goes on.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

from l4d.address import Address
from l4d.health.connection import connect

MOST_READ: Final = 1 << 20
"""The most bytes that are read of all a server says in one check: many times what one that is well has to say."""

TOO_MUCH: Final = f"says more than {MOST_READ >> 20} MiB"


class OwnLoop:
    """The running loop; all it connects, it connects to *address*."""

    def __init__(self, address: Address) -> None:
        self.overflowed = False
        """Whether the server has said too much."""
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._transports: list[asyncio.Transport] = []
        self._read = 0
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def abort(self) -> None:
        """Close whatever was opened, at once."""
        self._closed = True
        for transport in self._transports:
            transport.abort()

    async def create_connection(self, factory: Callable[[], Any], *_where: Any, **how: Any) -> tuple[Any, Any]:
        """See asyncio. Raises OSError."""
        sock = await connect(self._address)
        counted = _Counted(sock, self._count)
        try:
            transport, protocol = await self._loop.create_connection(factory, sock=counted, **how)
        except BaseException:  # a cancelled check is one, too
            counted.close()
            raise
        self._transports.append(transport)
        if self._closed:  # one that cancels a query: the server is to see that for itself
            transport.abort()
        return transport, protocol

    create_unix_connection = create_connection

    def _count(self, size: int) -> None:
        self._read += size
        if self._read > MOST_READ:
            self.overflowed = True
            raise ConnectionAbortedError(TOO_MUCH)


class _Counted(socket.socket):
    """In the place of *sock*; *count* is told the bytes of each read."""

    def __init__(self, sock: socket.socket, count: Callable[[int], None]) -> None:
        super().__init__(sock.family, sock.type, sock.proto, sock.detach())
        self._count = count

    def recv(self, *how: Any) -> bytes:
        data = super().recv(*how)
        self._count(len(data))
        return data

    def recv_into(self, *how: Any) -> int:
        size = super().recv_into(*how)
        self._count(size)
        return size
