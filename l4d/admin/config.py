"""GET /api/v1/config: what is in force, as `l4d -T` shows it."""

from functools import cached_property

from aiohttp import web

from l4d.admin.answer import answer
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.config.show import effective, show


class Configuration:
    def __init__(self, house: House) -> None:
        self._house = house

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        return answer(self._plain)

    @cached_property
    def _plain(self) -> dict[str, object]:
        """It never changes: another configuration has another control process."""
        config = self._house.config
        return {"files": config.files, "config": effective(config), "toml": show(config)}
