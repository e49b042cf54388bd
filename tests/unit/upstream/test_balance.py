"""Which file has which balancing algorithm."""

import random

import pytest

from l4d.terms import Balance
from l4d.upstream.balance import make_balancer
from l4d.upstream.first import First
from l4d.upstream.hashing import Hashing
from l4d.upstream.least import Least
from l4d.upstream.random_two import RandomTwo
from l4d.upstream.round_robin import RoundRobin
from tests.unit.making import Row


@pytest.mark.parametrize(
    ("balance", "algorithm"),
    [
        (Balance.ROUND_ROBIN, RoundRobin),
        (Balance.LEAST_CONN, Least),
        (Balance.RANDOM, RandomTwo),
        (Balance.HASH, Hashing),
        (Balance.FIRST, First),
        (Balance.LEAST_TIME, Least),
    ],
)
def test_each_word_is_an_algorithm(balance: Balance, algorithm: type) -> None:
    assert isinstance(make_balancer(balance, 0, random.Random(0)), algorithm)


@pytest.mark.parametrize("balance", [Balance.ROUND_ROBIN, Balance.LEAST_CONN, Balance.LEAST_TIME])
def test_the_workers_do_not_all_begin_alike(balance: Balance) -> None:
    row = Row()
    servers = [row.server(name=name) for name in ("one", "two", "three")]
    first = []
    for slot in range(4):
        balancer = make_balancer(balance, slot, random.Random(0))
        balancer.fill(servers)
        first.append(balancer.choose((), 0, 0.0))
    assert first == [*servers, servers[0]]
