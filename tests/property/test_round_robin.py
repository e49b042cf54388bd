"""Round robin: at any time each has had its share to less than one turn, and changes do not upset that for long."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server
from tests.unit.making import UNHURRIED, Row

ROW = Row()

weights = st.lists(st.integers(1, 20), min_size=1, max_size=6)
comings_and_goings = st.lists(st.tuples(st.sets(st.integers(0, 5), min_size=1), st.integers(0, 10)), max_size=30)


def servers(of: list[int]) -> list[Server]:
    return [ROW.server(name=f"server-{number}", weight=weight) for number, weight in enumerate(of)]


def filled(members: list[Server], start: int = 0) -> RoundRobin:
    balancer = RoundRobin(start)
    balancer.fill(members)
    return balancer


def turns(balancer: RoundRobin, number: int) -> list[Server]:
    chosen = [balancer.choose((), 0, 0.0) for _ in range(number)]
    return [server for server in chosen if server is not None]


@UNHURRIED
@given(weights)
def test_nobody_is_ever_a_whole_turn_ahead_of_its_share_or_behind(of: list[int]) -> None:
    members = servers(of)
    counts: Counter[Server] = Counter()
    for turn, server in enumerate(turns(filled(members), 3 * sum(of)), 1):
        counts[server] += 1
        assert all(abs(counts[server] - turn * server.weight / sum(of)) < 1 for server in members)


@UNHURRIED
@given(weights, st.integers(0, 10), st.integers(1, 4))
def test_in_any_stretch_each_is_chosen_as_often_as_its_weight_says_within_two(
    of: list[int], start: int, cycles: int
) -> None:
    members = servers(of)
    chosen = turns(filled(members, start), (cycles + 1) * sum(of))
    for begin in range(sum(of)):
        window = Counter(chosen[begin : begin + cycles * sum(of)])
        assert all(abs(window[server] - cycles * server.weight) < 2 for server in members)


@UNHURRIED
@given(weights, st.integers(1, 4))
def test_in_every_full_cycle_each_is_chosen_exactly_as_often_as_its_weight_says(of: list[int], cycles: int) -> None:
    members = servers(of)
    counts = Counter(turns(filled(members), cycles * sum(of)))
    assert all(counts[server] == cycles * server.weight for server in members)


@UNHURRIED
@given(st.integers(1, 50), st.integers(1, 50))
def test_of_two_the_heavier_never_lets_the_lighter_have_two_turns_in_a_row(heavy: int, light: int) -> None:
    members = servers([max(heavy, light) + 1, min(heavy, light)])
    chosen = turns(filled(members), 4 * (heavy + light))
    assert not any(one is other is members[1] for one, other in pairwise(chosen))


@UNHURRIED
@given(st.integers(1, 6), st.integers(0, 10), st.lists(st.booleans(), min_size=20, max_size=60))
def test_equal_servers_rotate_in_order_however_often_the_same_members_are_filled_in(
    count: int, start: int, again: list[bool]
) -> None:
    members = servers([3] * count)
    balancer = filled(members, start)
    for turn, fill in enumerate(again, start):
        if fill:
            balancer.fill(members)
        assert turns(balancer, 1) == [members[turn % count]]


@UNHURRIED
@given(weights, st.lists(st.integers(1, 20), min_size=1, max_size=30))
def test_weights_that_change_all_the_time_are_followed_to_the_turn(of: list[int], changing: list[int]) -> None:
    """The first server has another weight at each choice; it gets the sum of the shares it had."""
    members = servers(of)
    balancer, share, got = filled(members), 0.0, 0
    for weight in changing:
        members[0].weight = weight
        balancer.fill(members)
        share += weight / sum(server.weight for server in members)
        got += turns(balancer, 1) == members[:1]
    assert abs(got - share) < 2


def upset(balancer: RoundRobin, members: list[Server], changes: list[tuple[set[int], int]]) -> None:
    """Members come and go, with some choices in between; at last all are there."""
    for present, choices in changes:
        balancer.fill([server for number, server in enumerate(members) if number in present] or members)
        turns(balancer, choices)
    balancer.fill(members)


@UNHURRIED
@given(weights, comings_and_goings)
def test_those_who_come_and_go_upset_the_shares_only_for_a_moment(
    of: list[int], changes: list[tuple[set[int], int]]
) -> None:
    """Whatever was owed from before is paid once: over fifty cycles it is no more than over one."""
    members, balancer = servers(of), RoundRobin()
    upset(balancer, members, changes)
    counts = Counter(turns(balancer, 50 * sum(of)))
    assert all(abs(counts[server] - 50 * server.weight) <= 3 for server in members)


@UNHURRIED
@given(weights, comings_and_goings)
def test_after_those_who_come_and_go_the_turns_are_as_smooth_as_ever(
    of: list[int], changes: list[tuple[set[int], int]]
) -> None:
    members, balancer = servers(of), RoundRobin()
    upset(balancer, members, changes)
    turns(balancer, 2 * sum(of))
    counts: Counter[Server] = Counter()
    for turn, server in enumerate(turns(balancer, 2 * sum(of)), 1):
        counts[server] += 1
        assert all(abs(counts[server] - turn * server.weight / sum(of)) < 2 for server in members)


@UNHURRIED
@given(st.lists(st.integers(1, 20), min_size=2, max_size=6), st.integers(1, 200))
def test_one_that_was_full_for_a_while_does_not_catch_up(of: list[int], choices: int) -> None:
    members = servers(of)
    balancer, full = filled(members), members[-1]
    full.max_sessions = 1
    assert full.take()
    assert full not in turns(balancer, choices)
    full.max_sessions = 0
    counts = Counter(turns(balancer, sum(of)))
    full.give_back()
    assert abs(counts[full] - full.weight) <= 2


@UNHURRIED
@given(weights, st.integers(1, 1000))
def test_while_one_is_full_the_others_share_by_their_weights(of: list[int], heavy: int) -> None:
    *others, full = members = servers([*of, heavy])
    balancer = filled(members)
    full.max_sessions = 1
    assert full.take()
    counts = Counter(turns(balancer, 5 * sum(of)))
    full.give_back()
    assert all(abs(counts[server] - 5 * server.weight) <= 1 for server in others)
