"""The lowest score, within a window that goes round."""

from collections.abc import Sequence

import pytest

from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.upstream.least import WINDOW, Least, Measure
from l4d.upstream.server import Server
from tests.unit.making import Row


def by_sessions(servers: Sequence[Server], loads: Sequence[int], now: float) -> list[float]:
    return [float(load) for load in loads]


def words(server: Server, load: int, now: float) -> str:
    return f"{load} at {now:g}"


def crowd(count: int) -> list[Server]:
    row = Row(Board(rows=3, columns=1 << 14), Columns(1 << 14))
    return [row.server(name=f"s{number}") for number in range(count)]


def filled(members: Sequence[Server], start: int = 0) -> Least:
    balancer = Least(Measure(by_sessions, "fewest", words), start)
    balancer.fill(members)
    return balancer


def choose(balancer: Least, *tried: Server) -> Server | None:
    return balancer.choose(tried, 0, 0.0)


def test_the_lowest_score_is_chosen() -> None:
    one, two, three = crowd(3)
    for server in (one, one, two, three, three):
        server.take()
    assert choose(filled([one, two, three])) is two


def test_when_the_lowest_does_not_take_the_session_the_next_one_is_chosen() -> None:
    one, two, three = crowd(3)
    two.take()
    assert choose(filled([one, two, three]), one) is three
    assert choose(filled([one, two, three]), one, three) is two
    assert choose(filled([one, two, three]), one, two, three) is None


def test_those_that_score_the_same_have_turns() -> None:
    members = crowd(4)
    balancer = filled(members, start=1)
    assert [choose(balancer) for _ in range(5)] == [members[number] for number in (1, 2, 3, 0, 1)]


def test_the_turns_go_on_when_members_are_filled_in_anew() -> None:
    members = crowd(3)
    balancer = filled(members)
    for server in members * 2:
        assert choose(balancer) is server
        balancer.fill(members)
    balancer.fill(members[:1])
    assert choose(balancer) is members[0]


def test_of_a_large_pool_only_a_window_behind_the_last_choice_is_looked_at() -> None:
    members = crowd(3 * WINDOW)
    for server in members[1:-1]:
        server.take()
    balancer = filled(members, start=1)
    assert choose(balancer) is members[1]  # the empty ones are not in its window
    balancer = filled(members, start=2 * WINDOW)
    assert choose(balancer) is members[-1]
    assert choose(balancer) is members[0]
    assert choose(balancer) is members[1]


@pytest.mark.parametrize("start", [0, 1, WINDOW, 2 * WINDOW, 150])
def test_when_nobody_in_the_window_takes_the_session_the_next_ones_are_looked_at(start: int) -> None:
    members = crowd(2 * WINDOW + 22)
    for server in members:
        server.max_sessions = 1
        server.take()
    balancer = filled(members, start)
    assert choose(balancer) is None
    for free in (members[0], members[WINDOW], members[-1]):
        free.max_sessions = 2
        assert choose(balancer) is free
        free.max_sessions = 1


def test_an_empty_newcomer_of_a_large_pool_does_not_get_every_session() -> None:
    members = crowd(4 * WINDOW)
    for number, server in enumerate(members[1:]):
        for _ in range(5 + number * 7 % 5):
            server.take()
    balancer, newcomer, sessions = filled(members), members[0], 0
    for _ in range(WINDOW):
        chosen = choose(balancer)
        assert chosen is not None
        chosen.take()
        sessions += chosen is newcomer
    assert 1 <= sessions <= WINDOW // 4


def test_nothing_is_left_to_do() -> None:
    assert not filled([]).work()
    assert choose(filled([])) is None


def test_it_is_told_what_is_lowest_of_whom_and_what_the_others_have() -> None:
    one, two = crowd(2)
    one.take()
    balancer = filled([one, two])
    assert balancer.peek(0, 7.0) == (two, "fewest: 0 at 7", True)
    assert balancer.passed_over(one, 8.0) == "1 at 8"
    one.max_sessions = two.max_sessions = 1
    two.take()
    assert balancer.peek(0, 7.0) is None
