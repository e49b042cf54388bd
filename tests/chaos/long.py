"""Long TCP sessions that send at moments of their own, whether or not the last answer has come.

    python -m tests.chaos.long PORT COUNT FIRST SEED

One that breaks is followed by another. At the end of the input all finish, and their last bytes are waited for.
"""

import heapq
import random
import sys
import time

from tests.chaos.crowd import Crowd
from tests.chaos.facts import Ready, say
from tests.chaos.talk import Talk
from tests.chaos.turns import Turns

_PAUSE = (0.1, 0.7)
_SMALL, _LARGE = (1, 3000), (50_000, 300_000)
_LARGE_SHARE = 0.02
_MOST_AHEAD = 512 << 10  # bytes sent whose answer has not come


class Long:
    """All sessions, and when each sends next."""

    def __init__(self, port: int, count: int, first: int, seed: int) -> None:
        self._turns = Turns()
        self._crowd = Crowd(self._turns, "long")
        self._chance = random.Random(seed)
        self._port, self._count, self._next = port, count, first
        self._due: list[tuple[float, int, Talk]] = []

    def run(self) -> None:
        self._refill()
        is_ready = False
        while not self._turns.asked_to_end:
            self._turns.until(self._due[0][0])
            self._send()
            self._refill()
            self._crowd.look()
            if not is_ready and all(talk.received for talk in self._crowd.talks):
                is_ready = True
                say(Ready("long"))
        for talk in self._crowd.talks:
            talk.finishing = True
            self._turns.want(talk.socket, talk.wanted)
        self._crowd.finish()

    def _refill(self) -> None:
        while len(self._crowd.talks) < self._count:
            talk = Talk("long", self._next, self._port)
            self._next += 1
            self._crowd.add(talk)
            self._send_later(talk)

    def _send(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            talk = self._due[0][2]
            if talk not in self._crowd.talks:
                heapq.heappop(self._due)
                continue
            if talk.allowed - talk.received < _MOST_AHEAD:
                talk.allow(self._chance.randint(*(_LARGE if self._chance.random() < _LARGE_SHARE else _SMALL)))
                self._turns.want(talk.socket, talk.wanted)
            heapq.heappop(self._due)
            self._send_later(talk)

    def _send_later(self, talk: Talk) -> None:
        heapq.heappush(self._due, (time.monotonic() + self._chance.uniform(*_PAUSE), talk.number, talk))


if __name__ == "__main__":
    Long(*map(int, sys.argv[1:])).run()
