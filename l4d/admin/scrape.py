"""GET /metrics; the text is made in admin/metrics.py."""

import asyncio
import time

from aiohttp import web

from l4d.admin import metrics
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.linux.process import resident_bytes


class Scrape:
    def __init__(self, house: House) -> None:
        self._house = house

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        # With a thousand servers it takes a third of a second, in which checks go on.
        return web.Response(body=await asyncio.to_thread(self._text), headers={"Content-Type": metrics.CONTENT_TYPE})

    def _text(self) -> bytes:
        house = self._house
        scene = metrics.look(house.numbers, house.config, house.control_row, time.monotonic(), resident_bytes)
        return metrics.text(scene)
