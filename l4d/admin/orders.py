"""What an operator can have done: PATCH of a server, and POST of reload, reopen, quit."""

import json
from typing import Any

from aiohttp import web

from l4d.admin.answer import answer
from l4d.admin.errors import Refused
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.admin.peers import who
from l4d.admin.upstreams import Upstreams
from l4d.config.kinds import One
from l4d.config.schema import SERVER
from l4d.config.suggest import did_you_mean
from l4d.config.values import Wrong
from l4d.stats.wish import Unsaid, Wish

CHANGEABLE = ("state", "weight", "max_sessions")


class Orders:
    def __init__(self, house: House, upstreams: Upstreams) -> None:
        self._house = house
        self._upstreams = upstreams

    async def patch_server(self, request: web.Request) -> web.Response:
        texts(request)
        upstream, server = request.match_info["upstream"], request.match_info["server"]
        wish = _wish(await request.read())
        self._upstreams.server(upstream, server)  # raises, if there is no such server
        self._house.servers.wish(upstream, server, wish, who(request))
        return answer(self._upstreams.server(upstream, server))

    async def reload(self, request: web.Request) -> web.Response:
        """Read the configuration again. It is begun when this is answered; how it went is in the status."""
        await self._ask(request, "reload")
        return answer({"reload": "begun"}, 202)

    async def reopen(self, request: web.Request) -> web.Response:
        """Open the log files anew."""
        await self._ask(request, "reopen")
        return answer({"reopened": True})

    async def quit(self, request: web.Request) -> web.Response:
        """Stop gracefully."""
        await self._ask(request, "quit")
        return answer({"quit": "begun"}, 202)

    async def _ask(self, request: web.Request, what: str) -> None:
        """Have the master do it. Raises Refused."""
        texts(request)
        self._house.log.info(f"admin API: {what} (by {who(request)})")
        problems = await self._house.master.ask(what)
        if problems:
            raise Refused(409, problems[0], problems=list(problems))


def _wish(body: bytes) -> Wish:
    """What the body of a PATCH asks for. Raises Refused."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, 'the body is not JSON; write it as {"state": "drain"}') from None
    if not isinstance(document, dict) or not document:
        raise Refused(400, f"the body must be a JSON object with one or more of {', '.join(CHANGEABLE)}")
    for name in document:
        if name not in CHANGEABLE:
            raise Refused(400, f"{name}: cannot be changed{did_you_mean(name, CHANGEABLE)}")
    return Wish(**{name: _value(name, value) for name, value in document.items()})


def _value(name: str, value: object) -> Any:
    """As the file would have it; null: what the file says. Raises Refused."""
    if value is None:
        return Unsaid.FILE
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of numbers
    kind = SERVER.keys[name].kind
    assert isinstance(kind, One)
    try:
        return kind.read(value)
    except Wrong as wrong:
        raise Refused(400, f"{name}: {wrong}") from None
