"""The less loaded of two drawn by weight."""

import math
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from l4d.upstream.random_two import RandomTwo
from l4d.upstream.server import Server
from tests.unit.making import Row

ROUNDS = 20_000


def servers(*weights: int) -> list[Server]:
    row = Row()
    return [row.server(name=f"s{number}", weight=weight) for number, weight in enumerate(weights)]


def filled(members: Sequence[Server], seed: int = 1) -> RandomTwo:
    balancer = RandomTwo(random.Random(seed))
    balancer.fill(members)
    return balancer


def counts(balancer: RandomTwo, *tried: Server) -> Counter[Server | None]:
    return Counter(balancer.choose(tried, 0, 0.0) for _ in range(ROUNDS))


def near(count: int, share: float) -> bool:
    """Whether so many of the rounds are *share* of them, within four standard deviations."""
    return abs(count - share * ROUNDS) <= 4 * math.sqrt(ROUNDS * share * (1 - share))


def test_idle_servers_are_drawn_by_weight() -> None:
    members = servers(1, 2, 5)
    got = counts(filled(members))
    assert all(near(got[server], server.weight / 8) for server in members)


def test_of_two_servers_the_less_loaded_is_always_chosen() -> None:
    """The two that are drawn are never the same one, however heavy it is."""
    heavy, light = members = servers(1000, 1)
    for _ in range(1001):
        heavy.take()
    assert counts(filled(members)) == {light: ROUNDS}
    assert counts(filled(members[::-1])) == {light: ROUNDS}


def test_the_second_is_drawn_by_weight_among_the_others() -> None:
    """The busy one is chosen by nobody, so the chosen one is the first drawn of the others."""
    members = servers(4, 8, 1, 3)
    for busy in members:
        for _ in range(9):
            busy.take()
        got = counts(filled(members))
        for server in members:
            if server is not busy:
                first, second = server.weight / 16, busy.weight / 16 * server.weight / (16 - busy.weight)
                assert near(got[server], first + second)
        assert got[busy] == 0
        for _ in range(9):
            busy.give_back()


def test_the_most_loaded_is_never_chosen_beside_one_that_takes_the_session() -> None:
    members = servers(1, 1, 1)
    members[0].take()
    assert members[0] not in counts(filled(members))


def test_one_that_does_not_take_the_session_leaves_it_to_the_other() -> None:
    members = servers(1, 1, 1)
    members[0].take()
    got = counts(filled(members), members[1])
    assert got.keys() == {members[0], members[2]}
    assert got[members[2]] > got[members[0]]


@pytest.mark.parametrize("able", [0, 1, 2])
def test_when_nearly_nobody_takes_the_session_all_are_asked(able: int) -> None:
    members = servers(1000, 1000, 1000, 1000, 1, 1)
    tried = members[:4] + members[4 + able :]
    got = set(counts(filled(members), *tried))
    assert got == set(members[4 : 4 + able]) if able else got == {None}


def test_among_few_that_are_left_the_less_loaded_of_two_draws_is_chosen() -> None:
    members = servers(1000, 1000, 1000, 1000, 1, 1)
    members[4].take()
    got = counts(filled(members), *members[:4])
    assert got[members[5]] > 0.7 * ROUNDS


def test_nothing_is_left_to_do() -> None:
    balancer = filled([])
    assert balancer.choose((), 0, 0.0) is None
    assert not balancer.work()


def test_nobody_is_named_where_two_may_be_drawn_and_the_draws_stay_what_they_were() -> None:
    members = servers(1, 2, 5)
    asked, other = filled(members), filled(members)
    outlook = asked.peek(0, 0.0)
    assert outlook == (None, "of two drawn by weight, the one with fewer sessions for its weight", False)
    assert asked.passed_over(members[1], 0.0) == "may be drawn: 0 sessions for weight 2"
    assert [asked.choose((), 0, 0.0) for _ in range(9)] == [other.choose((), 0, 0.0) for _ in range(9)]


def test_the_only_one_that_takes_a_session_is_named() -> None:
    members = servers(1, 2)
    balancer = filled(members)
    members[0].max_sessions = 1
    members[0].take()
    assert balancer.peek(0, 0.0) == (members[1], "the only one that takes it", True)
    members[1].max_sessions = 1
    members[1].take()
    assert balancer.peek(0, 0.0) is None
