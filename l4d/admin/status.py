"""GET /api/v1/status."""

import os
import time

from aiohttp import web

from l4d import __version__
from l4d.admin.answer import answer
from l4d.admin.ends import NewestEnds
from l4d.admin.health import Healthz
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.log.moment import rfc_3339
from l4d.stats import picture
from l4d.stats.changes import Change


class Status:
    def __init__(self, house: House, healthz: Healthz) -> None:
        self._house = house
        self._healthz = healthz
        self._ends = NewestEnds(house.inquiries)
        self._config = os.path.abspath(house.config.files[0])

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        ends = await self._ends.get()
        house, now, health = self._house, time.time(), self._healthz.judge()
        changes, totals = house.changes(), picture.totals(house.numbers, house.config)
        return answer(
            {
                "version": __version__,
                "generation": totals.generation,
                "pid": house.master_pid,
                "started": rfc_3339(changes.started),
                "uptime_seconds": round(max(0.0, now - changes.started), 3),
                "time": rfc_3339(now),
                "config": self._config,
                "healthy": health.healthy,
                "problems": health.problems,
                "sessions": totals.sessions,
                "sessions_total": totals.sessions_total,
                "handed_over_total": totals.handed_over,
                "bytes_up_total": totals.bytes_up,
                "bytes_down_total": totals.bytes_down,
                "datagrams_up_total": totals.datagrams_up,
                "datagrams_down_total": totals.datagrams_down,
                "ends": {end.value: count for end, count in totals.ends.items() if count},
                "log_lines_dropped_total": totals.log_lines_dropped,
                "process_restarts_total": totals.restarts,
                "reloads": [_change(each) for each in changes.all],
                "newest_ends": ends,
                "history": house.history.told(),
            }
        )


def _change(one: Change) -> dict[str, object]:
    return {
        "time": rfc_3339(one.time),
        "what": one.what,
        "result": one.result,
        "generation": one.generation,
        "message": one.message,
    }
