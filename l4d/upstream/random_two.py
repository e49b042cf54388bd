"""random: of two servers drawn by weight, the one with fewer live sessions for its weight.

Two draws are enough to keep the fullest server near the average (Mitzenmacher, "The Power of Two Choices in Randomized
Load Balancing", IEEE TPDS 12, 2001), and workers that know nothing of each other's next choice do not all run to the
same server, as they do when each takes the least loaded.
"""

import random
from bisect import bisect
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Final

from l4d.upstream.outlook import Outlook, load_of
from l4d.upstream.server import Server

PAIRS: Final = 4
"""So many pairs are drawn before all members are asked which of them take the session."""


class RandomTwo:
    """Two draws, and the better one."""

    __slots__ = ("_bounds", "_chance", "_members")

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._members: list[Server] = []
        self._bounds: list[float] = []  # each member has the room from the bound before its own to its own

    def fill(self, members: Sequence[Server]) -> None:
        self._members = list(members)
        self._bounds = list(accumulate([server.weight for server in members]))

    def choose(self, tried: Collection[Server], key: int, now: float) -> Server | None:  # noqa: ARG002 - Balancer
        if len(self._members) < 2:
            return next((server for server in self._members if server.takes(tried)), None)
        for _ in range(PAIRS):
            one, other = self._draw_two()
            if not one.takes(tried):
                one, other = other, one
                if not one.takes(tried):
                    continue
            return other if _load(other) < _load(one) and other.takes(tried) else one
        return self._draw_among([server for server in self._members if server.takes(tried)])

    def peek(self, key: int, now: float) -> Outlook | None:  # noqa: ARG002 - Balancer
        able = [server for server in self._members if server.takes(())]
        if len(able) < 2:
            return Outlook(able[0], "the only one that takes it") if able else None
        return Outlook(None, "of two drawn by weight, the one with fewer sessions for its weight", certain=False)

    def passed_over(self, server: Server, now: float) -> str:  # noqa: ARG002 - Balancer
        return f"may be drawn: {load_of(server, server.load())}"

    def work(self) -> bool:
        return False

    def _draw_two(self) -> tuple[Server, Server]:
        """Two different members, each drawn by weight among those who are left."""
        bounds, last = self._bounds, len(self._bounds) - 1
        one = bisect(bounds, self._chance.random() * bounds[last], 0, last)
        before = bounds[one - 1] if one else 0.0
        own = bounds[one] - before
        place = self._chance.random() * (bounds[last] - own)
        if one == last or place < before:
            other = bisect(bounds, place, 0, one - 1)
        else:  # behind the room of the first, which is as if it were not there
            other = bisect(bounds, place + own, one + 1, last)
        return self._members[one], self._members[other]

    def _draw_among(self, able: list[Server]) -> Server | None:
        if not able:
            return None
        one, other = self._chance.choices(able, [server.weight for server in able], k=2)
        return other if _load(other) < _load(one) else one


def _load(server: Server) -> float:
    return server.load() / server.weight
