"""Servers inside the test's own event loop that behave in one way, well or badly, over TCP, UDP or a unix socket."""

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from l4d.address import Address, from_sockaddr
from tests.kit.processes import descriptors
from tests.kit.wait import TIMEOUT

Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What happens on one connection. It is closed afterwards."""

Reply: TypeAlias = Callable[[bytes], bytes | None]
"""What is answered to a datagram; None: nothing."""


def saying(data: bytes) -> Talk:
    """Says something, whatever it hears, and closes once it has heard something or the client has gone."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    return talk


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hears, and says nothing until the client goes."""
    while await reader.read(65536):
        pass


def endless(block: bytes) -> Talk:
    """Says the same for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(block)
            await writer.drain()

    return talk


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Breaks the connection off."""
    sock = writer.get_extra_info("socket")
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Serving:
    """A server at work."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.met = 0

    async def meets(self, times: int = 1) -> None:
        """Wait until so many clients, or datagrams, have come."""
        await until(f"{times} have come to {self.address}", lambda: self.met >= times)


@asynccontextmanager
async def stream_server(
    talk: Talk, host: str = "127.0.0.1", path: Path | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Serving]:
    """*talk* with each client, over TCP, or over a unix socket when there is a *path*; with *tls* inside TLS."""
    talks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.met += 1
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            talks.discard(task)
            writer.transport.abort()

    starting = asyncio.start_unix_server(one, path, ssl=tls) if path else asyncio.start_server(one, host, 0, ssl=tls)
    server = await starting
    serving = Serving(from_sockaddr(server.sockets[0].getsockname()))
    try:
        yield serving
    finally:
        server.close()
        for task in talks:
            task.cancel()
        if talks:
            await asyncio.wait(talks)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.serving: Serving | None = None

    def connection_made(self, transport: Any) -> None:  # what it is does not say so: it is no DatagramTransport
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._reply(data)
        if answer is not None:
            self._transport.sendto(answer, addr)
        if self.serving is not None:
            self.serving.met += 1


@asynccontextmanager
async def datagram_server(reply: Reply, port: int = 0) -> AsyncIterator[Serving]:
    """*reply* to each datagram."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(reply), ("127.0.0.1", port))
    serving = protocol.serving = Serving(from_sockaddr(transport.get_extra_info("sockname")))
    try:
        yield serving
    finally:
        transport.abort()


async def until(what: str, condition: Callable[[], bool]) -> None:
    """wait.wait_until, for those who must not hold up the loop."""
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {TIMEOUT:g} s in vain until {what}"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """As many descriptors and tasks after the block as before, soon."""
    before, tasks = descriptors(os.getpid()), len(asyncio.all_tasks())
    yield
    await until(f"no more than {before} descriptors are open", lambda: descriptors(os.getpid()) <= before)
    await until(f"no more than {tasks} tasks run", lambda: len(asyncio.all_tasks()) <= tasks)
