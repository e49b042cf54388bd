"""Rounds that alternate."""

from functools import partial

from bench.programs import BenchError
from bench.rounds import alternate
from bench.scenario import Contender, Sample
from tests.unit.bench.making import sample


def test_every_round_begins_with_the_next_one() -> None:
    order = ""

    def measure(name: str) -> Sample:
        nonlocal order
        order += name
        return sample(1)

    alternate([Contender(name, partial(measure, name)) for name in "abc"], 4, print)
    assert order == "abcbcacababc"


def test_a_measurement_that_fails_leaves_its_place_empty_and_is_told() -> None:
    def fail() -> Sample:
        raise BenchError("it ended")

    notes: list[str] = []
    broken, whole = Contender("a", fail, point="100"), Contender("b", lambda: sample(1))
    samples = alternate([broken, whole], 2, notes.append)
    assert samples == {broken: [None, None], whole: [sample(1), sample(1)]}
    assert notes == ["a at 100: it ended"] * 2
