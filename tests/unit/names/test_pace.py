"""When a name is asked for again."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.names.pace import JITTER, LONGEST_RETRY, Pace
from tests.unit.making import UNHURRIED
from tests.unit.names.asking import settings


class Even(Random):
    """Chance that never hurries anybody."""

    def random(self) -> float:
        return 0.0


def pace(min_ttl: float = 1, max_ttl: float = 60, chance: Random | None = None) -> Pace:
    return Pace(settings(min_ttl=min_ttl, max_ttl=max_ttl), chance or Even())


@pytest.mark.parametrize(("ttl", "wait"), [(0, 1), (1, 1), (30, 30), (60, 60), (86400, 60), (math.inf, 60)])
def test_a_ttl_is_waited_for_within_bounds(ttl: float, wait: float) -> None:
    assert pace().after_answer(ttl) == wait


def test_after_failures_the_waits_double_up_to_the_longest_and_an_answer_begins_anew() -> None:
    name = pace()
    assert [name.after_failure() for _time in range(6)] == [1, 2, 4, 8, LONGEST_RETRY, LONGEST_RETRY]
    assert name.after_answer(30) == 30
    assert name.after_failure() == 1


def test_what_was_found_beside_a_failure_is_not_used_for_longer_than_its_ttl() -> None:
    name = pace()
    assert [name.after_failure(ttl=3) for _time in range(4)] == [1, 2, 3, 3]


def test_a_failure_is_tried_again_sooner_than_an_answer_is_asked_for_again() -> None:
    name = pace(min_ttl=5)
    assert [name.after_failure() for _time in range(4)] == [1, 2, 4, 8]


def test_what_was_found_beside_a_failure_is_an_answer_and_bound_by_min_ttl() -> None:
    name = pace(min_ttl=3)
    assert [name.after_failure(ttl=0) for _time in range(4)] == [1, 2, 3, 3]


def test_no_name_waits_for_longer_than_max_ttl() -> None:
    assert pace(min_ttl=0.1, max_ttl=0.5).after_failure() == 0.5


@UNHURRIED
@given(st.integers(), st.floats(0, 1e6))
def test_chance_makes_a_wait_shorter_by_a_tenth_at_most(seed: int, ttl: float) -> None:
    even = pace().after_answer(ttl)
    assert max(1, even * (1 - JITTER)) <= pace(chance=Random(seed)).after_answer(ttl) <= even


def test_failing_dials_wait_for_a_second_or_less() -> None:
    assert pace(min_ttl=0.2).least == 0.2
    assert pace(min_ttl=30).least == 1
