"""Maglev's table: which member has which slot."""

from array import array
from collections import Counter
from collections.abc import Sequence

import pytest

from l4d.upstream.maglev import SIZE, lay


def table(entries: Sequence[tuple[str, float]]) -> "array[int]":
    slots = list(lay(entries))[-1]
    assert slots is not None
    return slots


def equal(count: int) -> list[tuple[str, float]]:
    return [(f"10.0.0.{number}:80", 1.0) for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 10, 300])
def test_members_of_the_same_weight_have_the_same_number_of_slots_but_for_one(count: int) -> None:
    counts = Counter(table(equal(count)))
    assert sum(counts.values()) == SIZE
    assert {counts[member] for member in range(count)} <= {SIZE // count, SIZE // count + 1}


def test_slots_are_shared_by_weight() -> None:
    weights = [1.0, 0.01, 2.5, 10.0]
    counts = Counter(table([(f"10.0.0.{number}:80", weight) for number, weight in enumerate(weights)]))
    for member, weight in enumerate(weights):
        assert abs(counts[member] - SIZE * weight / sum(weights)) <= 2


def test_another_name_makes_another_order() -> None:
    one, other = table(equal(2)), table([("10.0.0.0:80", 1.0), ("10.0.9.9:80", 1.0)])
    assert one == table(equal(2)) != other


def test_it_is_laid_in_many_small_pieces() -> None:
    pieces = list(lay(equal(10)))
    assert len(pieces) > 50
    assert all(piece is None for piece in pieces[:-1])


def test_the_pieces_are_as_small_when_many_members_have_a_turn_in_few_rounds() -> None:
    heavy = ("10.0.1.0:80", 40.0)
    assert len(list(lay([heavy, *equal(40)]))) > 2 * len(list(lay([(heavy[0], 1.0), *equal(40)])))
