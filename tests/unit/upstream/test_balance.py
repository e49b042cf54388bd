"""Which file has which balancing algorithm."""

from l4d.terms import Balance
from l4d.upstream.balance import make_balancer
from l4d.upstream.round_robin import RoundRobin
from tests.unit.making import Row


def test_round_robin_is_round_robin() -> None:
    assert isinstance(make_balancer(Balance.ROUND_ROBIN, 0), RoundRobin)


def test_the_workers_do_not_all_begin_alike() -> None:
    row = Row()
    servers = [row.server(name=name) for name in ("one", "two", "three")]
    first = [make_balancer(Balance.ROUND_ROBIN, slot).choose(servers).name for slot in range(4)]
    assert first == ["one", "two", "three", "one"]
