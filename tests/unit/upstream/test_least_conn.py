"""The fewest live sessions for its weight, over all workers."""

from l4d.upstream.least import Least
from l4d.upstream.least_conn import SESSIONS, sessions_for_weight
from tests.unit.making import Row


def test_the_score_is_the_sessions_for_each_unit_of_weight() -> None:
    row = Row()
    servers = [row.server(name="one", weight=1), row.server(name="two", weight=4)]
    assert sessions_for_weight(servers, [3, 6], 0.0) == [3.0, 1.5]


def test_sessions_that_another_worker_has_given_count_at_once() -> None:
    here = Row()
    there = here.another()
    one, two = (here.server(name=name) for name in ("one", "two"))
    balancer = Least(SESSIONS)
    balancer.fill([one, two])
    assert balancer.choose((), 0, 0.0) is one
    there.server(name="two").take()
    assert balancer.choose((), 0, 0.0) is one
    for _ in range(2):
        there.server(name="one").take()
    assert balancer.choose((), 0, 0.0) is two


def test_what_each_has_is_told() -> None:
    row = Row()
    one, two = row.server(name="one"), row.server(name="two", weight=4)
    balancer = Least(SESSIONS)
    balancer.fill([one, two])
    one.take()
    assert balancer.peek(0, 0.0) == (two, "fewest sessions for its weight: 0 sessions for weight 4", True)
    assert balancer.passed_over(one, 0.0) == "1 session for weight 1"
