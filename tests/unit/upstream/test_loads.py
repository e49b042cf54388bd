"""The sessions of several servers at once."""

from l4d.upstream.loads import Loads
from tests.unit.making import Row


def test_the_sessions_are_those_of_all_workers() -> None:
    here = Row()
    there = here.another()
    loads = Loads([here.server(name=name) for name in "abc"])
    assert loads.read(0, 3) == [0, 0, 0]
    here.server(name="a").take()
    there.server(name="a").take()
    there.server(name="c").take()
    assert loads.read(0, 3) == [2, 0, 1]
    assert loads.read(1, 3) == [0, 1]


def test_a_worker_that_is_born_later_counts_too() -> None:
    here = Row()
    loads = Loads([here.server()])
    assert loads.read(0, 1) == [0]
    here.another().server().take()
    assert loads.read(0, 1) == [1]
