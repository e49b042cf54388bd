"""The lowest connect time, times live sessions, for its weight."""

import pytest

from l4d.upstream.least import Least
from l4d.upstream.least_time import TIME, time_for_weight
from l4d.upstream.server import Server
from tests.unit.making import Row


@pytest.fixture
def row() -> Row:
    return Row()


def chosen(*servers: Server) -> Server | None:
    balancer = Least(TIME)
    balancer.fill(servers)
    return balancer.choose((), 0, 100.0)


def answering(row: Row, name: str, seconds: float, weight: int = 1) -> Server:
    server = row.server(name=name, weight=weight)
    server.answered_in(seconds, 100.0)
    return server


def test_the_score_is_the_time_for_the_sessions_there_would_be_for_each_unit_of_weight(row: Row) -> None:
    servers = [answering(row, "one", 0.5), answering(row, "two", 0.25, weight=2)]
    assert time_for_weight(servers, [3, 7], 100.0) == [2.0, 1.0]


def test_the_one_that_answers_soonest_is_chosen_until_it_has_too_many_sessions(row: Row) -> None:
    slow, fast = answering(row, "slow", 0.030), answering(row, "fast", 0.010)
    assert chosen(slow, fast) is fast
    for _ in range(3):
        fast.take()
    assert chosen(slow, fast) is slow


def test_a_server_that_is_not_known_yet_is_tried_first_but_for_one_session_only(row: Row) -> None:
    known, new = answering(row, "known", 0.010), row.server(name="new")
    assert chosen(known, new) is new
    new.take()
    assert chosen(known, new) is known
    new.answered_in(0.001, 100.0)
    assert chosen(known, new) is new


def test_what_other_workers_have_given_a_new_server_does_not_keep_this_one_from_trying_it(row: Row) -> None:
    known, new = answering(row, "known", 0.010), row.server(name="new")
    row.another().server(name="new").take()
    assert chosen(known, new) is new


def test_servers_that_are_all_being_tried_are_chosen_by_their_sessions(row: Row) -> None:
    one, two = row.server(name="one"), row.server(name="two", weight=3)
    for server in (one, two, two):
        server.take()
    assert chosen(one, two) is two
    for _ in range(4):
        two.take()
    assert chosen(one, two) is one


def test_how_soon_each_answers_is_told(row: Row) -> None:
    one, two = answering(row, "one", 0.012), row.server(name="two")
    balancer = Least(TIME)
    balancer.fill([one, two])
    why = "lowest connect time, times sessions, for its weight: not measured yet, 0 sessions for weight 1"
    assert balancer.peek(0, 100.0) == (two, why, True)
    assert balancer.passed_over(one, 100.0) == "answers in 12 ms, 0 sessions for weight 1"
