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


# From one worker to another


def test_a_life_that_began_elsewhere_ends_when_it_would_have_there(loop: Queues) -> None:
    there, here = (Lifetime(loop, 1000, random.Random(seed)) for seed in (1, 2))
    mayflies = [Mayfly() for _ in range(50)]
    for mayfly in mayflies:
        there.begin(mayfly)
        here.resume(mayfly, there.step_of(mayfly), 0.0)
    for moment in range(900, 1001):
        loop.expire(moment)
        assert all(mayfly.over in {0, 2} for mayfly in mayflies)  # both queues tell the same one at the same time
    assert all(mayfly.over == 2 for mayfly in mayflies)


def test_a_step_of_the_jitter_is_one_of_eight_and_none_where_there_is_no_bound(loop: Queues) -> None:
    lifetime, endless = Lifetime(loop, 1000, random.Random(1)), Lifetime(loop, 0, random.Random(1))
    mayflies = [Mayfly() for _ in range(100)]
    for mayfly in mayflies:
        lifetime.begin(mayfly)
        endless.begin(mayfly)
    assert {lifetime.step_of(mayfly) for mayfly in mayflies} == set(range(STEPS))
    assert {endless.step_of(mayfly) for mayfly in mayflies} == {-1}
    assert lifetime.step_of(Mayfly()) == -1


@pytest.mark.parametrize("step", [-1, STEPS, 1000])
def test_one_that_had_no_step_gets_one_and_its_time_counts_from_its_beginning(loop: Queues, step: int) -> None:
    """The new file bounds the time, the old one did not; or another version has more steps."""
    lifetime = Lifetime(loop, 1000, random.Random(1))
    mayfly = Mayfly()
    lifetime.resume(mayfly, step, -500.0)
    loop.expire(399)
    assert mayfly.over == 0
    loop.expire(500)
    assert mayfly.over == 1


def test_where_the_new_file_knows_no_bound_a_life_that_had_one_goes_on(loop: Queues) -> None:
    lifetime = Lifetime(loop, 0, random.Random(1))
    mayfly = Mayfly()
    lifetime.resume(mayfly, 3, 0.0)
    loop.expire(1e12)
    assert mayfly.over == 0
