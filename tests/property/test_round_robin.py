"""Round robin: fair by weight over every cycle, evenly spread within it, and not upset for long by changes.

The bounds are those that follow from the rule. The chosen one has the most credit, so at least an equal share of what
the turn gives out; paying the whole of it leaves more than minus one cycle: nobody is ever a whole turn ahead.
"""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server
from tests.unit.making import UNHURRIED, Row

ROW = Row()

weights = st.lists(st.integers(1, 20), min_size=1, max_size=6)


def servers(of: list[int]) -> list[Server]:
    return [ROW.server(name=f"server-{number}", weight=weight) for number, weight in enumerate(of)]


@UNHURRIED
@given(weights, st.integers(0, 10), st.integers(1, 4))
def test_in_every_full_cycle_each_is_chosen_as_often_as_its_weight_says(of: list[int], start: int, cycles: int) -> None:
    members, balancer = servers(of), RoundRobin(start)
    turns = [balancer.choose(members) for _ in range((cycles + 1) * sum(of))]
    for begin in range(sum(of)):
        window = Counter(turns[begin : begin + cycles * sum(of)])
        assert all(window[server] == cycles * server.weight for server in members)


@UNHURRIED
@given(weights)
def test_nobody_is_ever_a_whole_turn_ahead_of_its_share(of: list[int]) -> None:
    members, balancer = servers(of), RoundRobin()
    counts: Counter[Server] = Counter()
    for turn in range(1, 2 * sum(of) + 1):
        counts[balancer.choose(members)] += 1
        assert all(counts[server] < turn * server.weight / sum(of) + 1 for server in members)


@UNHURRIED
@given(st.integers(1, 50), st.integers(1, 50))
def test_of_two_the_heavier_never_lets_the_lighter_have_two_turns_in_a_row(heavy: int, light: int) -> None:
    members, balancer = servers([max(heavy, light) + 1, min(heavy, light)]), RoundRobin()
    turns = [balancer.choose(members) for _ in range(4 * (heavy + light))]
    assert not any(one is other is members[1] for one, other in pairwise(turns))


@UNHURRIED
@given(weights, st.lists(st.sets(st.integers(0, 5), min_size=1), max_size=40))
def test_those_who_come_and_go_upset_the_shares_only_for_a_moment(of: list[int], changes: list[set[int]]) -> None:
    """Whatever was owed from before is paid once: over fifty cycles it is no more than over one."""
    members, balancer = servers(of), RoundRobin()
    for present in changes:
        balancer.choose([server for number, server in enumerate(members) if number in present] or members)
    cycles = 50
    counts = Counter(balancer.choose(members) for _ in range(cycles * sum(of)))
    for server in members:
        assert abs(counts[server] - cycles * server.weight) <= len(changes)


@UNHURRIED
@given(weights, st.lists(st.sets(st.integers(0, 5), min_size=1), max_size=40))
def test_after_those_who_come_and_go_every_late_cycle_is_fair_again(of: list[int], changes: list[set[int]]) -> None:
    members, balancer = servers(of), RoundRobin()
    for present in changes:
        balancer.choose([server for number, server in enumerate(members) if number in present] or members)
    for _ in range((len(changes) + 1) * sum(of) * len(of)):
        balancer.choose(members)
    counts = Counter(balancer.choose(members) for _ in range(sum(of)))
    assert all(counts[server] == server.weight for server in members)
