"""max_session_time: the longest life of a session, the same for all of a listener but for a jitter.

Up to a tenth is taken off by chance, so that sessions that began together do not all come back together. The jitter
comes in steps, because deadlines of one length are one queue.
"""

import random
from operator import methodcaller
from typing import Protocol

from l4d.loop.deadlines import Deadlines
from l4d.loop.loop import Loop

STEPS = 8
JITTER = 0.1


class Mortal(Protocol):
    """What lives within a session."""

    def session_time_over(self) -> None: ...


class Lifetime:
    """The queues of one listener; none if its sessions may live as long as they like."""

    __slots__ = ("_chance", "_loop", "_queues")

    def __init__(self, loop: Loop, longest: float, chance: random.Random) -> None:
        """*longest* is max_session_time in seconds, 0 for none."""
        self._loop = loop
        self._chance = chance
        self._queues: list[Deadlines[Mortal]] = [
            loop.queue(longest * (1 - JITTER * step / STEPS), methodcaller("session_time_over"))
            for step in range(STEPS if longest else 0)
        ]

    def begin(self, mortal: Mortal) -> None:
        """Its session time begins now."""
        if self._queues:
            self._chance.choice(self._queues).enter(mortal, self._loop.now)

    def step_of(self, mortal: Mortal) -> int:
        """Which step of jitter it was given; -1 if it may live as long as it likes."""
        return next((step for step, queue in enumerate(self._queues) if mortal in queue), -1)

    def resume(self, mortal: Mortal, step: int, since: float) -> None:
        """Its session time began *since*, in another worker, where it had this step of jitter, or none."""
        if self._queues:
            queue = self._queues[step] if 0 <= step < STEPS else self._chance.choice(self._queues)
            queue.resume(mortal, since)

    def end(self, mortal: Mortal) -> None:
        """Its session is over."""
        for queue in self._queues:
            queue.leave(mortal)
