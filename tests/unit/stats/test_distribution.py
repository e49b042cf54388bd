"""What a histogram says."""

import math
import random

import pytest

from l4d.stats.distribution import Distribution

BOUNDS = (1.0, 2.0, 4.0)


def of(*counts: int, total: float = 0.0) -> Distribution:
    return Distribution(BOUNDS, counts, total)


def test_nothing_has_no_mean_and_no_quantile() -> None:
    assert (of(0, 0, 0, 0).count, of(0, 0, 0, 0).mean, of(0, 0, 0, 0).quantile(0.99)) == (0, 0, 0)


def test_the_mean_is_exact() -> None:
    assert of(1, 0, 2, 1, total=18.0).mean == 4.5


def test_within_a_bucket_values_are_spread_evenly() -> None:
    assert of(4, 0, 0, 0).quantile(0.5) == 0.5
    assert of(0, 0, 4, 0).quantile(0.25) == 2.5
    assert of(2, 2, 0, 0).quantile(0.5) == 1.0
    assert of(2, 2, 0, 0).quantile(0.75) == 1.5
    assert of(1, 0, 1, 0).quantile(1.0) == 4.0


def test_beyond_the_last_bound_nothing_is_known_but_that_bound() -> None:
    assert of(1, 0, 0, 9).quantile(0.99) == 4.0


def test_a_quantile_is_never_further_off_than_its_bucket_is_wide() -> None:
    chance = random.Random(6)
    values = sorted(chance.uniform(0, 4) for _ in range(1000))
    counts = [sum(low < value <= high for value in values) for low, high in ((-1, 1), (1, 2), (2, 4))]
    distribution = of(*counts, 0)
    for part in (0.1, 0.5, 0.9, 0.99):
        assert abs(distribution.quantile(part) - values[int(part * 1000)]) < 0.2


def test_what_is_over_a_bound_is_counted() -> None:
    assert [of(1, 20, 300, 4000).over(bound) for bound in BOUNDS] == [4320, 4300, 4000]


def test_prometheus_is_told_how_many_were_not_more_than_each_bound() -> None:
    assert of(1, 2, 0, 4).cumulative() == [(1.0, 1), (2.0, 3), (4.0, 3), (math.inf, 7)]


@pytest.mark.parametrize(
    ("earlier", "recent"),
    [
        (of(1, 1, 0, 0, total=2.0), of(1, 1, 3, 0, total=9.0)),
        (of(9, 0, 0, 0, total=99.0), of(0, 2, 3, 0)),  # another process has the row now
    ],
)
def test_what_came_since_an_earlier_look_is_what_is_more_now(earlier: Distribution, recent: Distribution) -> None:
    assert of(2, 2, 3, 0, total=11.0).since(earlier) == recent
