"""A caller's connection: aiohttp's HTTP, watched by the guard, and answered in JSON even where the request is none."""

import asyncio
from typing import Final

from aiohttp import web

from l4d.admin.answer import HEADERS, error
from l4d.admin.errors import BUG
from l4d.admin.guard import Guard, Visit
from l4d.log.log import Log
from l4d.terms import Level

_TEXT: Final = b'{"error": "too many callers; try again"}'
FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Retry-After: 1\r\nConnection: close\r\n\r\n%b" % (len(_TEXT), _TEXT)
)

LINGERING: Final = 1.0
"""Seconds in which the rest of a body is thrown away, so that the caller reads why it was refused."""


class Caller(web.RequestHandler):
    """One connection. What a method is called for is in asyncio.Protocol."""

    __slots__ = ("_guard", "_log", "visit")

    def __init__(self, server: web.Server, guard: Guard, log: Log) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            keepalive_timeout=3600.0,  # the guard's business
            lingering_time=LINGERING,
            auto_decompress=False,  # what is small compressed may be huge
        )
        self._guard = guard
        self._log = log
        self.visit: Visit | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.visit = self._guard.admit(transport)
        if self.visit is None:
            transport.write(FULL)
            transport.close()
        else:
            super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self.visit is not None and self.visit.may_send(len(data)):
            super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.visit is not None:
            self.visit.over()
            super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - aiohttp's
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request; one that is a request has been answered before it comes here."""
        if status == 500:
            self._log.bug("the admin API, in aiohttp", exc)
            words = BUG
        else:
            why = (message or "").partition("\n")[0][:200]
            self._log.seldom("admin garbage", f"admin API: what came is no request: {why!r}", Level.INFO)
            words = f"what came is no request: {why}"
        response = error(status, words)
        response.headers.update(HEADERS)
        response.force_close()
        return response
