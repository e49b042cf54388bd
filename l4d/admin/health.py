"""GET /healthz: 200 while everybody is served, else 503 with what is wrong."""

import time

from aiohttp import web

from l4d.admin.answer import answer
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.admin.recent import Recent
from l4d.stats import catalogue, health, picture
from l4d.stats.health import Health
from l4d.stats.process import processes


class Healthz:
    def __init__(self, house: House, recent: Recent) -> None:
        self._house = house
        self._recent = recent

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        now = self.judge()
        return answer({"healthy": now.healthy, "problems": now.problems}, 200 if now.healthy else 503)

    def judge(self) -> Health:
        """How l4d is now."""
        numbers, now = self._house.numbers, time.monotonic()
        slow: dict[int, float] = {}
        for one in picture.workers(numbers, now):
            turns = self._recent.of(one, now).turns
            slow[one.slot] = max(slow.get(one.slot, 0.0), turns.over(catalogue.SLOW_TURN) / max(1, turns.count))
        every, since = processes(numbers.board, numbers.columns), now - health.OLDEST_HEARTBEAT
        lately = self._recent.serving_slots(since)
        if not self._recent.reaches(since):  # this control process is new itself, as it is at each reload
            lately |= health.about_to_serve(every)
        return health.judge(every, now, slow, lately)
