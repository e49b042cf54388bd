"""The first server that is not full."""

from l4d.upstream.first import First
from tests.unit.making import Row


def test_the_first_is_chosen_until_it_is_full_and_again_when_it_has_room() -> None:
    row = Row()
    one, two = row.server(name="one", max_sessions=2), row.server(name="two", weight=100)
    balancer = First()
    balancer.fill([one, two])
    for expected in (one, one, two, two):
        assert balancer.choose((), 0, 0.0) is expected
        expected.take()
    one.give_back()
    assert balancer.choose((), 0, 0.0) is one


def test_nothing_is_left_to_do() -> None:
    balancer = First()
    balancer.fill([])
    assert balancer.choose((), 0, 0.0) is None
    assert not balancer.work()


def test_who_is_next_is_told_and_that_the_others_come_later() -> None:
    row = Row()
    one, two = row.server(name="one", max_sessions=1), row.server(name="two")
    balancer = First()
    balancer.fill([one, two])
    assert balancer.peek(0, 0.0) == (one, "the first in order that has room", True)
    one.take()
    assert balancer.peek(0, 0.0) == (two, "the first in order that has room", True)
    assert balancer.passed_over(one, 0.0) == "another one comes first in order"
    balancer.fill([])
    assert balancer.peek(0, 0.0) is None
