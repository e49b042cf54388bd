"""The member with the lowest score: what least_conn and least_time have in common.

Those that score the same have turns: the look around begins behind the one chosen last, and the first of the lowest is
chosen, so an idle pool is used in turn.

Of a large pool only a window is looked at, which begins there too. So a choice among a thousand costs what one among
WINDOW does, and an empty newcomer is chosen once each time the windows come round, not for every session until it has
as many as the others. Only when nobody in the window can take the session is the next one looked at.
"""

import math
from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple, TypeAlias

from l4d.upstream.loads import Loads
from l4d.upstream.outlook import Outlook
from l4d.upstream.server import Server

WINDOW: Final = 64
"""So many members are compared for one choice."""


Scores: TypeAlias = Callable[[Sequence[Server], Sequence[int], float], list[float]]
"""Gives the score of each of some servers, from the sessions each has and the time; never infinite."""


class Measure(NamedTuple):
    """What is lowest, and how it is told."""

    scores: Scores
    superlative: str
    """As in "fewest sessions for its weight"."""
    words: Callable[[Server, int, float], str]
    """What stands behind the score of a server, from its sessions and the time."""


class Least:
    """The lowest score, within a window that goes round."""

    __slots__ = ("_begin", "_count", "_loads", "_measure", "_ring", "_scores")

    def __init__(self, measure: Measure, start: int = 0) -> None:
        """The first look around begins at the member number *start*."""
        self._measure = measure
        self._scores = measure.scores
        self._begin = start
        self._count = 0
        self._ring: list[Server] = []  # the members twice, so that a window is one slice
        self._loads = Loads(self._ring)

    def fill(self, members: Sequence[Server]) -> None:
        self._count = len(members)
        self._ring = [*members, *members]
        self._loads = Loads(self._ring)

    def choose(self, tried: Collection[Server], key: int, now: float) -> Server | None:  # noqa: ARG002 - Balancer
        place = self._look_around(tried, now)
        if place < 0:
            return None
        self._begin = place + 1
        return self._ring[place]

    def _look_around(self, tried: Collection[Server], now: float) -> int:
        """Where in the ring the one stands that is to be chosen; -1: nobody is."""
        for passed in range(0, self._count, WINDOW):
            begin = (self._begin + passed) % self._count
            end = begin + min(WINDOW, self._count - passed)
            around = self._ring[begin:end]
            at = _lowest(around, self._scores(around, self._loads.read(begin, end), now), tried)
            if at >= 0:
                return begin + at
        return -1

    def peek(self, key: int, now: float) -> Outlook | None:  # noqa: ARG002 - Balancer
        place = self._look_around((), now)
        if place < 0:
            return None
        server, measure = self._ring[place], self._measure
        return Outlook(server, f"{measure.superlative}: {measure.words(server, server.load(), now)}")

    def passed_over(self, server: Server, now: float) -> str:
        return self._measure.words(server, server.load(), now)

    def work(self) -> bool:
        return False


def _lowest(servers: list[Server], scores: list[float], tried: Collection[Server]) -> int:
    """Where the first of those with the lowest score stands that takes the session; -1 if nobody does."""
    for _ in servers:
        at = scores.index(min(scores))
        if servers[at].takes(tried):
            return at
        scores[at] = math.inf
    return -1
