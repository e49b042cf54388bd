"""GET /api/v1/upstreams and /api/v1/upstreams/{name}."""

import asyncio
import time

from aiohttp import web

from l4d.admin.answer import answer
from l4d.admin.errors import Refused
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.admin.times import spread
from l4d.config.suggest import did_you_mean
from l4d.log.moment import rfc_3339
from l4d.stats import picture_servers
from l4d.stats.picture_servers import ServerPicture, UpstreamPicture, Wishes


class Upstreams:
    def __init__(self, house: House) -> None:
        self._house = house

    async def get_all(self, request: web.Request) -> web.Response:
        texts(request)
        # With a thousand servers it takes a fifth of a second, in which checks go on.
        return await asyncio.to_thread(self._all)

    async def get_one(self, request: web.Request) -> web.Response:
        texts(request)
        return answer(self._plain(self._look(request.match_info["upstream"])))

    def server(self, upstream: str, name: str) -> dict[str, object]:
        """One server; by the name of an entry that stands for several, the first of them. Raises Refused."""
        look = self._look(upstream)
        every = (*look.servers, *look.nowhere, *look.vacant)
        found = next((server for server in every if name in {server.name, server.entry.name}), None)
        if found is None:
            names = [server.name for server in every]
            raise Refused(404, f"there is no server {name!r} in upstream {upstream!r}{did_you_mean(name, names)}")
        return self._server(upstream, found)

    def _all(self) -> web.Response:
        house = self._house
        every = picture_servers.upstreams(house.numbers, house.config, house.control_row, time.monotonic())
        return answer({"upstreams": [self._plain(one) for one in every]})

    def _look(self, name: str) -> UpstreamPicture:
        house = self._house
        if name not in house.config.upstreams:
            raise Refused(404, f"there is no upstream {name!r}{did_you_mean(name, house.config.upstreams)}")
        upstream = house.config.upstreams[name]
        return picture_servers.upstream(house.numbers, house.config, upstream, house.control_row, time.monotonic())

    def _plain(self, one: UpstreamPicture) -> dict[str, object]:
        return {
            "name": one.upstream.name,
            "balance": one.upstream.balance.value,
            "check": one.upstream.check.type.value,
            "queued": one.queued,
            "up": one.up,
            "listeners": one.listeners,
            "servers": [self._server(one.upstream.name, server) for server in (*one.servers, *one.nowhere)],
        }

    def _server(self, upstream: str, one: ServerPicture) -> dict[str, object]:
        servers = self._house.servers
        return {
            "name": one.name,
            "address": one.address,
            "verdict": one.verdict.name.lower(),
            "state": one.state.value,
            "serving": one.serving,
            "why": one.why,
            "since": _wall(servers.judged_at(upstream, one.name)),
            "reason": servers.reason(upstream, one.name),
            "weight": round(one.weight, 2),
            "max_sessions": one.max_sessions,
            "backup": one.backup,
            "sessions": one.sessions,
            "sessions_total": one.sessions_total,
            "bytes_up": one.bytes_up,
            "bytes_down": one.bytes_down,
            "failures": one.failures,
            "checks": one.checks,
            "out_seconds": round(one.out_seconds, 3),
            "connect_ms": spread(one.connect),
            "wishes": _wishes(one.wishes),
            "agent": one.agent or None,
        }


def _wishes(wishes: Wishes) -> dict[str, object]:
    """Those in force."""
    state = wishes.state.value if wishes.state is not None else None
    every = {"state": state, "weight": wishes.weight, "max_sessions": wishes.max_sessions}
    return {name: value for name, value in every.items() if value is not None}


def _wall(monotonic: float) -> str | None:
    """That moment in the time of people; None for 0."""
    return rfc_3339(time.time() - time.monotonic() + monotonic) if monotonic else None
