"""Smooth weighted round robin."""

from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server
from tests.unit.making import Row


def servers(**weights: int) -> list[Server]:
    row = Row()
    return [row.server(name=name, weight=weight) for name, weight in weights.items()]


def turns(balancer: RoundRobin, candidates: list[Server], number: int) -> str:
    return "".join(balancer.choose(candidates).name for _ in range(number))


def test_equal_servers_take_turns() -> None:
    assert turns(RoundRobin(), servers(a=1, b=1, c=1), 7) == "abcabca"


def test_the_turns_of_a_heavy_server_are_spread_evenly() -> None:
    assert turns(RoundRobin(), servers(a=5, b=1, c=1), 14) == "aabacaaaabacaa"


def test_the_only_candidate_gets_every_turn() -> None:
    assert turns(RoundRobin(3), servers(a=7), 3) == "aaa"


def test_a_worker_begins_at_the_server_of_its_slot() -> None:
    assert turns(RoundRobin(1), servers(a=1, b=1, c=1), 4) == "bcab"
    assert turns(RoundRobin(5), servers(a=1, b=1, c=1), 4) == "cabc"


def test_one_who_comes_back_gets_its_share_and_no_more() -> None:
    a, b, c = servers(a=1, b=1, c=1)
    balancer = RoundRobin()
    turns(balancer, [a, b, c], 30)
    turns(balancer, [a, b], 30)
    assert sorted(turns(balancer, [a, b, c], 30)) == sorted("abc" * 10)
