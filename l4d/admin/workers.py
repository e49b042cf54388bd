"""GET /api/v1/workers."""

import time

from aiohttp import web

from l4d.admin.answer import answer
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.admin.recent import Recent
from l4d.admin.times import milliseconds
from l4d.linux.process import resident_bytes
from l4d.stats import catalogue, picture
from l4d.stats.picture import ProcessPicture


class Workers:
    def __init__(self, house: House, recent: Recent) -> None:
        self._house = house
        self._recent = recent

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        house, now = self._house, time.monotonic()
        control = picture.control(house.numbers, now)
        return answer(
            {
                "workers": [self._worker(one, now) for one in picture.workers(house.numbers, now)],
                "control": _control(control) if control is not None else None,
                "master": {"pid": house.master_pid, "resident_bytes": resident_bytes(house.master_pid)},
            }
        )

    def _worker(self, one: ProcessPicture, now: float) -> dict[str, object]:
        turns, lately = one.turns, self._recent.of(one, now)
        return {
            "slot": one.slot,
            "generation": one.generation,
            "pid": one.pid,
            "state": one.state.value,
            "heartbeat_age_seconds": round(one.heartbeat_age, 3),
            "sessions": one.sessions,
            "cpu_seconds": round(one.cpu_seconds, 3),
            "cpu_percent": round(lately.cpu_percent, 1),
            "resident_bytes": resident_bytes(one.pid),
            "turns": {
                "count": turns.count,
                "mean_ms": milliseconds(turns.mean),
                "p50_ms": milliseconds(turns.quantile(0.5)),
                "p99_ms": milliseconds(turns.quantile(0.99)),
                "recent_p99_ms": milliseconds(lately.turns.quantile(0.99)),
                "slow": turns.over(catalogue.SLOW_TURN),
            },
        }


def _control(one: ProcessPicture) -> dict[str, object]:
    return {
        "pid": one.pid,
        "generation": one.generation,
        "heartbeat_age_seconds": round(one.heartbeat_age, 3),
        "resident_bytes": resident_bytes(one.pid),
    }
