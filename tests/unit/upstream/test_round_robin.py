"""Smooth weighted round robin."""

from collections.abc import Sequence

import pytest

from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server
from tests.unit.making import Row


def servers(**weights: int) -> list[Server]:
    row = Row()
    return [row.server(name=name, weight=weight) for name, weight in weights.items()]


def filled(members: Sequence[Server], start: int = 0) -> RoundRobin:
    balancer = RoundRobin(start)
    balancer.fill(members)
    return balancer


def turns(balancer: RoundRobin, number: int, *tried: Server) -> str:
    chosen = [balancer.choose(tried, 0, 0.0) for _ in range(number)]
    return "".join(server.name if server else "-" for server in chosen)


def test_equal_servers_take_turns() -> None:
    assert turns(filled(servers(a=1, b=1, c=1)), 7) == "abcabca"


def test_the_turns_of_a_heavy_server_are_spread_evenly() -> None:
    assert turns(filled(servers(a=5, b=1, c=1)), 14) == "abaacaaabaacaa"
    assert turns(filled(servers(a=1, b=1, c=1, d=3)), 12) == "dadbcddadbcd"


def test_the_only_member_gets_every_turn() -> None:
    assert turns(filled(servers(a=7), start=3), 3) == "aaa"


def test_a_worker_begins_at_the_server_of_its_slot() -> None:
    assert turns(filled(servers(a=1, b=1, c=1), start=1), 4) == "bcab"
    assert turns(filled(servers(a=1, b=1, c=1), start=5), 4) == "cabc"


def test_a_worker_without_servers_begins_at_that_of_its_slot_when_there_are_some() -> None:
    balancer = filled([], start=1)
    assert turns(balancer, 1) == "-"
    balancer.fill(servers(a=1, b=1, c=1))
    assert turns(balancer, 3) == "bca"


def test_a_choice_among_the_others_brings_one_that_was_tried_no_nearer_to_its_turn() -> None:
    a, b, c = servers(a=1, b=1, c=1)
    balancer = filled([a, b, c])
    assert turns(balancer, 1, a) == "b"
    assert turns(balancer, 6) == "cabcab"
    assert turns(balancer, 1, a, b, c) == "-"
    assert turns(balancer, 3) == "cab"


def test_a_dead_server_is_asked_once_a_round_however_often_its_sessions_are_given_to_others() -> None:
    a, b, c = servers(a=1, b=1, c=1)
    balancer = filled([a, b, c])
    first = ""
    second = ""
    for _ in range(300):
        chosen = turns(balancer, 1)
        first += chosen
        second += turns(balancer, 1, a) if chosen == "a" else chosen
    assert first.count("a") == 100
    assert (second.count("b"), second.count("c")) == (150, 150)


def test_one_that_is_full_or_on_probation_lets_its_turn_pass() -> None:
    a, b, c = servers(a=1, b=1, c=1)
    balancer = filled([a, b, c])
    a.max_sessions = 1
    a.take()
    assert turns(balancer, 5) == "bcbcb"
    a.give_back()
    c.on_probation, c.trying = True, 1
    assert sorted(turns(balancer, 10)) == sorted("ab" * 5)
    c.on_probation = False
    assert sorted(turns(balancer, 9)) == sorted("abc" * 3)


def test_when_all_are_full_nobody_loses_a_turn() -> None:
    members = servers(a=1, b=1, c=1)
    balancer = filled(members)
    assert turns(balancer, 1) == "a"
    for server in members:
        server.max_sessions = 1
        server.take()
    assert turns(balancer, 5) == "-----"
    for server in members:
        server.give_back()
    assert turns(balancer, 3) == "bca"


def test_one_who_comes_back_gets_its_share_and_no_more() -> None:
    a, b, c = servers(a=1, b=1, c=1)
    balancer = filled([a, b, c])
    turns(balancer, 30)
    balancer.fill([a, b])
    turns(balancer, 30)
    balancer.fill([a, b, c])
    assert sorted(turns(balancer, 30)) == sorted("abc" * 10)


def test_those_who_stay_keep_their_turns() -> None:
    a, b, c = servers(a=1, b=1, c=1)
    balancer = filled([a, b, c])
    assert turns(balancer, 1) == "a"
    balancer.fill([a, b])
    assert turns(balancer, 2) == "ba"
    balancer.fill([a, b])
    assert turns(balancer, 1) == "b"


@pytest.mark.parametrize("weight", [0.01, 3.7, 1000])
def test_a_weight_that_is_another_now_counts_from_now_on(weight: float) -> None:
    """One that waits for a turn far away, because it had little weight, does not wait for that when it has more."""
    a, b = servers(a=1, b=1)
    a.weight = weight
    balancer = filled([a, b])
    turns(balancer, 30)
    a.weight = 1.0
    balancer.fill([a, b])
    assert 4 <= turns(balancer, 10).count("a") <= 6


def test_nothing_is_left_to_do() -> None:
    assert not RoundRobin().work()


def test_the_only_member_is_passed_over_when_it_cannot_take_a_session_and_has_no_turn_to_lose() -> None:
    [only] = servers(a=1)
    balancer = filled([only])
    only.max_sessions = 1
    only.take()
    assert turns(balancer, 2) == "--"
    only.give_back()
    assert turns(balancer, 2) == "aa"
    other, *_ = servers(b=1)
    balancer.fill([only, other])
    assert sorted(turns(balancer, 4)) == ["a", "a", "b", "b"]


def test_who_is_next_in_turn_is_told_and_keeps_its_turn() -> None:
    members = servers(a=5, b=1, c=1)
    balancer = filled(members)
    told = []
    for _ in range(14):
        outlook = balancer.peek(0, 0.0)
        assert outlook is not None
        assert (outlook.why, outlook.certain) == ("next in turn", True)
        assert outlook.server is not None
        told.append(outlook.server.name + turns(balancer, 1))
    assert "".join(told) == "".join(name * 2 for name in "abaacaaabaacaa")
    assert balancer.passed_over(members[0], 0.0) == "its turn comes later"


def test_the_only_member_is_called_so_and_of_none_nobody_is_next() -> None:
    members = servers(a=7)
    assert filled(members).peek(0, 0.0) == (members[0], "the only one that may be chosen", True)
    assert filled([]).peek(0, 0.0) is None
