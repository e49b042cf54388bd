"""When a name is asked for again: its TTL within bounds, or sooner when the answer was none."""

import math
from random import Random

from l4d.config.model import Resolver

FIRST_RETRY = 1.0
LONGEST_RETRY = 10.0
JITTER = 0.1
"""Of a wait, downwards: names that were asked for at the same time do not stay together for ever."""

_LEAST_BREAK = 1.0


class Pace:
    """The waits of one name, in seconds."""

    def __init__(self, settings: Resolver, chance: Random) -> None:
        self._settings = settings
        self._chance = chance
        self._retry = FIRST_RETRY

    def after_answer(self, ttl: float) -> float:
        """How long what was found may be used: the TTL, from min_ttl to max_ttl."""
        self._retry = FIRST_RETRY
        return self._within_bounds(ttl)

    def after_failure(self, ttl: float = math.inf) -> float:
        """How long to wait when something, or everything, was not found: 1 s, 2 s, 4 s and so on up to 10 s.

        No longer than max_ttl, and than the *ttl* of what was found all the same. min_ttl is for answers.
        """
        retry = self._retry
        self._retry = min(2 * retry, LONGEST_RETRY)
        return min(max(ttl, self._settings.min_ttl), self._settings.max_ttl, retry) * self._early()

    def _within_bounds(self, seconds: float) -> float:
        return max(self._settings.min_ttl, min(seconds, self._settings.max_ttl) * self._early())

    def _early(self) -> float:
        return 1 - JITTER * self._chance.random()

    @property
    def least(self) -> float:
        """How long to wait in any case, although dials fail, as they do by the thousand: 1 s, or min_ttl if less."""
        return min(self._settings.min_ttl, _LEAST_BREAK)
