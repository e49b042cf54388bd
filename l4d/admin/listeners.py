"""GET /api/v1/listeners."""

from aiohttp import web

from l4d.admin.answer import answer
from l4d.admin.house import House
from l4d.admin.parameters import texts
from l4d.admin.times import spread
from l4d.stats import picture
from l4d.stats.picture import ListenerPicture


class Listeners:
    def __init__(self, house: House) -> None:
        self._house = house

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        house = self._house
        return answer({"listeners": [self._plain(one) for one in picture.listeners(house.numbers, house.config)]})

    def _plain(self, one: ListenerPicture) -> dict[str, object]:
        listener = one.listener
        return {
            "name": listener.name,
            "protocol": listener.protocol.value,
            "addresses": [str(address) for address in self._house.bound.get(listener.name, ())],
            "upstream": listener.upstream,
            "sessions": one.sessions,
            "sessions_total": one.sessions_total,
            "bytes_up": one.bytes_up,
            "bytes_down": one.bytes_down,
            "datagrams_up": one.datagrams_up,
            "datagrams_down": one.datagrams_down,
            "dropped": one.dropped,
            "refused": one.refused,
            "ends": {end.value: count for end, count in one.ends.items()},
            "duration_ms": spread(one.duration),
        }
