"""GET and DELETE of /api/v1/sessions, and DELETE of /api/v1/sessions/{id}."""

import asyncio
import json
from collections.abc import Iterator
from typing import Final

from aiohttp import web

from l4d.admin.answer import JSON, answer
from l4d.admin.errors import Refused
from l4d.admin.house import House, Listing
from l4d.admin.parameters import number, texts
from l4d.admin.peers import who
from l4d.session.filter import Filter

FILTERS: Final = ("listener", "upstream", "server", "client", "older")

DEFAULT_LIMIT: Final = 1000
MOST: Final = 100_000
"""Sessions in one answer."""

MOST_AT_ONCE: Final = 120_000
"""Sessions in all answers that are being made: each takes some two kilobytes of memory."""

PIECE: Final = 200
"""Sessions written at a time: in between others are served."""


class Sessions:
    def __init__(self, house: House) -> None:
        self._house = house
        self._promised = 0

    async def get(self, request: web.Request) -> web.StreamResponse:
        given = texts(request, (*FILTERS, "limit"))
        limit = number(given, "limit", DEFAULT_LIMIT, MOST)
        wanted = _filter(given)
        if self._promised + limit > MOST_AT_ONCE:
            raise Refused(429, "others list so many sessions that there is no memory for these; try again")
        self._promised += limit
        try:
            return await _write(request, await self._house.inquiries.sessions(wanted, limit), limit)
        finally:
            self._promised -= limit

    async def kill(self, request: web.Request) -> web.Response:
        given = texts(request, FILTERS)
        if not given:
            raise Refused(400, f"say which sessions are to be ended, by one or more of {', '.join(FILTERS)}")
        killed = await self._house.inquiries.kill(_filter(given))
        which = ", ".join(f"{name} {value!r}" for name, value in given.items())
        self._house.log.info(f"admin API: killed {killed.number} sessions, {which} (by {who(request)})")
        return answer({"killed": killed.number, "silent": list(killed.silent)})

    async def kill_one(self, request: web.Request) -> web.Response:
        texts(request)
        given = request.match_info["id"]
        killed = await self._house.inquiries.kill(_filter({"id": given}))
        if not killed.number and killed.silent:
            raise Refused(503, f"no session of id {given} in the workers that answer", silent=list(killed.silent))
        if not killed.number:
            raise Refused(404, f"there is no session of id {given}; it may have ended")
        self._house.log.info(f"admin API: killed session {given} (by {who(request)})")
        return answer({"killed": killed.number})


def _filter(given: dict[str, str]) -> Filter:
    """Raises Refused."""
    try:
        return Filter(given)
    except ValueError as error:
        raise Refused(400, str(error)) from None


async def _write(request: web.Request, listing: Listing, limit: int) -> web.StreamResponse:
    """A long list takes longer to write than others should wait."""
    response = web.StreamResponse(headers={"Content-Type": JSON})
    if request.method == "HEAD":
        return web.Response(headers=response.headers)
    await response.prepare(request)
    for piece in _pieces(listing, limit):
        await response.write(piece.encode())
        await asyncio.sleep(0)
    await response.write_eof()
    return response


def _pieces(listing: Listing, limit: int) -> Iterator[str]:
    tail = json.dumps({"total": listing.total, "limit": limit, "silent": list(listing.silent)})
    before = '{"sessions": ['
    for start in range(0, len(listing.sessions), PIECE):
        yield before + json.dumps(listing.sessions[start : start + PIECE])[1:-1]
        before = ", "
    yield ("" if listing.sessions else before) + "], " + tail[1:]
