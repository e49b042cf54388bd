"""TCP sessions that come at a steady rate, say one thing, hear it back and leave.

    python -m tests.chaos.short PORT RATE FIRST SEED

Half of them finish first and wait for the server's end, the others leave with the last byte of the answer.
"""

import random
import sys
import time

from tests.chaos.crowd import Crowd
from tests.chaos.facts import Ready, say
from tests.chaos.pace import Pace
from tests.chaos.talk import Talk
from tests.chaos.turns import Turns

_SMALL, _LARGE = (1, 2000), (20_000, 100_000)
_LARGE_SHARE = 0.03


def main(port: int, rate: int, first: int, seed: int) -> None:
    turns = Turns()
    crowd = Crowd(turns, "short", lambda talk: not talk.finishing and talk.is_answered)
    chance = random.Random(seed)
    pace = Pace(rate)
    number = first
    say(Ready("short"))
    while not turns.asked_to_end:
        turns.until(pace.next)
        for _ in range(pace.due(time.monotonic())):
            talk = Talk("short", number, port)
            talk.allow(chance.randint(*(_LARGE if chance.random() < _LARGE_SHARE else _SMALL)))
            talk.finishing = chance.random() < 0.5
            crowd.add(talk)
            number += 1
        crowd.look()
    crowd.finish()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
