"""Large downloads at a steady pace, slower than the server: there are always bytes on their way.

    python -m tests.chaos.download PORT COUNT FIRST BYTES_A_SECOND

One that breaks is followed by another. At the end of the input all are left as they are.
"""

import select
import sys
import time

from tests.chaos.crowd import Crowd
from tests.chaos.facts import Ready, say
from tests.chaos.talk import Talk
from tests.chaos.turns import Turns

_TICK = 0.01


def main(port: int, count: int, first: int, rate: int) -> None:
    turns = Turns()
    crowd = Crowd(turns, "download")
    is_ready = False
    while not turns.asked_to_end:
        began = time.monotonic()
        while len(crowd.talks) < count:
            talk = Talk("download", first, port, echoed=False)
            crowd.add(talk)
            turns.want(talk.socket, 0)  # it is read by the clock
            first += 1
        for talk in list(crowd.talks):
            read(crowd, turns, talk, int(rate * _TICK))
        crowd.look()
        if not is_ready and all(talk.received for talk in crowd.talks):
            is_ready = True
            say(Ready("download"))
        while (moment := time.monotonic()) < began + _TICK and not turns.asked_to_end:
            turns.until(max(moment, began + _TICK))
    for talk in list(crowd.talks):
        crowd.end(talk, "whole")
    crowd.finish()


def read(crowd: Crowd, turns: Turns, talk: Talk, size: int) -> None:
    """What is there, up to about *size* bytes."""
    goal = talk.received + size
    before = -1
    while talk in crowd.talks and before < talk.received < goal:
        before = talk.received
        crowd.go_on(talk, select.EPOLLIN | select.EPOLLOUT)
    if talk in crowd.talks:
        turns.want(talk.socket, 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
