"""max_session_time, with its jitter."""

import random
from collections.abc import Iterator

import pytest

from l4d.loop.loop import Loop
from l4d.session.lifetime import STEPS, Lifetime


class Mayfly:
    """Notes when its time was over."""

    def __init__(self) -> None:
        self.over = 0

    def session_time_over(self) -> None:
        self.over += 1


class Queues(Loop):
    """A loop that only remembers the queues it was asked for, and lets its time be set."""

    def expire(self, now: float) -> None:
        self.now = now
        self._expire(now)


@pytest.fixture
def loop() -> Iterator[Queues]:
    loop = Queues()
    loop.now = 0.0
    yield loop
    loop.shut()


def test_without_a_longest_time_nobody_dies(loop: Queues) -> None:
    lifetime = Lifetime(loop, 0, random.Random(1))
    mayfly = Mayfly()
    lifetime.begin(mayfly)
    loop.expire(1e12)
    lifetime.end(mayfly)
    assert mayfly.over == 0


def test_everybodys_time_is_over_within_the_last_tenth(loop: Queues) -> None:
    lifetime = Lifetime(loop, 1000, random.Random(1))
    mayflies = [Mayfly() for _ in range(200)]
    for mayfly in mayflies:
        lifetime.begin(mayfly)
    loop.expire(900)
    assert not any(mayfly.over for mayfly in mayflies)
    loop.expire(1000)
    assert all(mayfly.over == 1 for mayfly in mayflies)


def test_those_who_began_together_do_not_end_together(loop: Queues) -> None:
    lifetime = Lifetime(loop, 1000, random.Random(1))
    mayflies = [Mayfly() for _ in range(200)]
    for mayfly in mayflies:
        lifetime.begin(mayfly)
    ended = []
    for moment in range(900, 1001):
        before = sum(mayfly.over for mayfly in mayflies)
        loop.expire(moment)
        ended.append(sum(mayfly.over for mayfly in mayflies) - before)
    at_once = [number for number in ended if number]
    assert len(at_once) == STEPS
    assert max(at_once) < len(mayflies) / 3


def test_a_session_that_is_over_before_is_not_told(loop: Queues) -> None:
    lifetime = Lifetime(loop, 1000, random.Random(1))
    mayfly = Mayfly()
    lifetime.begin(mayfly)
    lifetime.end(mayfly)
    loop.expire(1000)
    assert mayfly.over == 0
