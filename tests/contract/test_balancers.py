"""What every balancer promises, whatever it balances by."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.terms import Balance
from l4d.upstream.balance import Balancer, make_balancer
from l4d.upstream.server import Server
from tests.unit.making import UNHURRIED, Row

ROW = Row()
SERVERS = [ROW.server(name=f"server-{number}", weight=1 + number % 3) for number in range(6)]

every_balance = pytest.mark.parametrize("balance", Balance)
candidate_lists = st.lists(st.sets(st.sampled_from(range(6)), min_size=1), min_size=1, max_size=50)


def chosen(balancer: Balancer, candidates: list[Server], times: int) -> Counter[str]:
    return Counter(balancer.choose(candidates).name for _ in range(times))


@every_balance
@UNHURRIED
@given(choices=candidate_lists, start=st.integers(0, 20))
def test_the_chosen_one_is_a_candidate_however_they_come_and_go(
    balance: Balance, choices: list[set[int]], start: int
) -> None:
    balancer = make_balancer(balance, start)
    for numbers in choices:
        candidates = [SERVERS[number] for number in sorted(numbers)]
        assert balancer.choose(candidates) in candidates


@every_balance
def test_the_only_candidate_is_always_chosen(balance: Balance) -> None:
    balancer = make_balancer(balance, 5)
    assert all(balancer.choose([server]) is server for server in SERVERS * 3)


@every_balance
@pytest.mark.parametrize("start", range(4))
def test_every_candidate_gets_something(balance: Balance, start: int) -> None:
    counts = chosen(make_balancer(balance, start), SERVERS, 600)
    assert counts.keys() == {server.name for server in SERVERS}


@every_balance
def test_twice_the_weight_is_about_twice_the_sessions(balance: Balance) -> None:
    counts = chosen(make_balancer(balance, 0), SERVERS[:3], 6000)
    for server in SERVERS[:3]:
        assert 0.9 < counts[server.name] / (1000 * server.weight) < 1.1


@every_balance
def test_the_candidates_are_left_as_they_are(balance: Balance) -> None:
    candidates = list(SERVERS)
    make_balancer(balance, 0).choose(candidates)
    assert candidates == SERVERS


@every_balance
@UNHURRIED
@given(choices=candidate_lists, start=st.integers(0, 20))
def test_two_that_are_asked_the_same_answer_the_same(balance: Balance, choices: list[set[int]], start: int) -> None:
    one, other = make_balancer(balance, start), make_balancer(balance, start)
    for numbers in choices:
        candidates = [SERVERS[number] for number in sorted(numbers)]
        assert one.choose(candidates) is other.choose(candidates)
