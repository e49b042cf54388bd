"""The admin API at its doors: everything over the unix socket, reading alone over TCP."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from l4d.admin.answer import HEADERS
from l4d.admin.caller import Caller
from l4d.admin.errors import Handler, Middleware, Refused, tell_errors
from l4d.admin.guard import Guard
from l4d.admin.house import House
from l4d.admin.peers import is_allowed
from l4d.admin.recent import Recent
from l4d.admin.routes import Routes, add, routes
from l4d.config.model import Network
from l4d.linux.listening import QUEUE
from l4d.log.log import Log
from l4d.stats import picture

LARGEST_BODY: Final = 64 << 10
"""Bytes of a request."""

FAREWELL: Final = 0.3
"""Seconds in which callers are seen out who are owed an answer, when another control process is to follow."""

READING: Final = ("GET", "HEAD")


class Api:
    """The doors of one control process. To be used inside the running event loop."""

    def __init__(self, house: House, doors: Sequence[socket.socket]) -> None:
        self._house = house
        self._recent = Recent()
        answered = routes(house, self._recent)
        self._open = [Doorway(house, answered, door) for door in doors]

    async def prepare(self) -> None:
        """All that takes time; nobody is answered yet."""
        for doorway in self._open:
            await doorway.prepare()

    async def open(self) -> None:
        """Answer from here on."""
        for doorway in self._open:
            await doorway.open()

    def note(self, now: float) -> None:
        """To be called once a second."""
        self._recent.note(picture.workers(self._house.numbers, now), now)

    async def close(self) -> None:
        """Let nobody in any more, and see out who is there. Who knocks now waits for the next control process."""
        await asyncio.gather(*(doorway.close() for doorway in self._open))


class Doorway:
    """One door."""

    def __init__(self, house: House, answered: Routes, door: socket.socket) -> None:
        self._house = house
        self._door = door
        self._guard = Guard()
        reads_only = door.family != socket.AF_UNIX
        inner: list[Middleware] = [_reading(house.config.admin.allow)] if reads_only else []
        app = web.Application(middlewares=[tell_errors(house.log), *inner, self._attend], client_max_size=LARGEST_BODY)
        add(app, answered)
        app.on_response_prepare.append(_add_headers)
        self._runner = web.AppRunner(app)
        self._listening: asyncio.Server | None = None

    async def prepare(self) -> None:
        await self._runner.setup()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        server = self._runner.server
        assert server is not None
        self._listening = await loop.create_server(
            lambda: Caller(server, self._guard, self._house.log), sock=self._door, backlog=QUEUE
        )

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            await self._guard.empty(FAREWELL)
        await self._runner.cleanup()

    @property
    def _leaving(self) -> bool:
        return self._listening is None

    @web.middleware
    async def _attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Tell the guard when a request is complete, and when it is answered."""
        caller = request.protocol
        assert isinstance(caller, Caller)
        assert caller.visit is not None
        if (request.content_length or 0) > LARGEST_BODY:
            raise web.HTTPRequestEntityTooLarge(max_size=LARGEST_BODY, actual_size=request.content_length or 0)
        await request.read()
        caller.visit.heard()
        try:
            response = await handler(request)
        finally:
            caller.visit.answered()
        if self._leaving:
            response.force_close()
        return response


def _reading(networks: Sequence[Network]) -> Middleware:
    """Whoever is in *networks* may read, and nobody may do more."""

    @web.middleware
    async def read(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_allowed(request, networks):
            raise Refused(403, "[admin] allow has no network that you are in")
        if request.method not in READING:
            raise web.HTTPMethodNotAllowed(request.method, READING)
        return await handler(request)

    return read


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def tell_of_libraries(log: Log) -> None:
    """What aiohttp and asyncio would write to standard error, tracebacks and all, is a line of the log."""
    for name in ("aiohttp", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [_ToLog(log)]
        logger.propagate = False


class _ToLog(logging.Handler):
    """Takes records of the standard library's logging."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        text = " ".join(record.getMessage().split())[:200]
        self._log.seldom(f"library {record.name}", f"{record.name}: {text}")
