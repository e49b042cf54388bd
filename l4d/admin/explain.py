"""GET /api/v1/explain: which server a client would get, and why each other one not."""

from aiohttp import web

from l4d.admin.answer import answer
from l4d.admin.errors import Refused
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.config.suggest import did_you_mean
from l4d.session.filter import client_of


class Explain:
    def __init__(self, house: House) -> None:
        self._house = house

    async def get(self, request: web.Request) -> web.Response:
        given = texts(request, ("listener", "client"))
        for name in ("listener", "client"):
            if name not in given:
                raise Refused(400, f"{name}: is missing; write it as ?listener=NAME&client=10.0.0.7")
        listener, client = given["listener"], given["client"]
        names = self._house.config.listeners
        if listener not in names:
            raise Refused(404, f"there is no listener {listener!r}{did_you_mean(listener, names)}")
        _check(client)
        try:
            told = await self._house.inquiries.explain(listener, client)
        except ValueError as error:
            raise Refused(503, str(error)) from None
        return answer(
            {
                "listener": listener,
                "upstream": told.upstream,
                "client": client,
                "balance": told.balance,
                "certain": told.certain,
                "answers": told.answers,
                "servers": told.servers,
                "silent": told.silent,
            }
        )


def _check(client: str) -> None:
    """Raises Refused: it is no address."""
    try:
        client_of(client)
    except ValueError as error:
        raise Refused(400, str(error)) from None
