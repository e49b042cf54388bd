"""Choosing a server, in every algorithm, among ten and among a thousand, beside seven other workers; and its key."""

import random

import pytest

from l4d.address import Inet
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.terms import Balance, HashKey
from l4d.upstream.balance import make_balancer
from l4d.upstream.key import make_key
from tests.micro.benchmark import Benchmark
from tests.unit.making import Row, upstream

_COLUMNS = 1 << 16
_NOW = 1e9


@pytest.mark.parametrize("count", [10, 1000])
@pytest.mark.parametrize("balance", list(Balance))
def test_choosing_among_so_many(benchmark: Benchmark, balance: Balance, count: int) -> None:
    row = Row(Board(rows=10, columns=_COLUMNS), Columns(_COLUMNS))
    servers = [
        row.server(upstream(balance=balance), name=f"s{n}", address=Inet(f"10.0.{n // 250}.{n % 250}", 80))
        for n in range(count)
    ]
    for _ in range(7):
        row.another()
    for server in servers:
        server.answered_in(0.001, _NOW)
    balancer = make_balancer(balance, 0, random.Random(1))
    balancer.fill(servers)
    assert benchmark(balancer.choose, (), 0x243F6A8885A308D3, _NOW) in servers


def test_hashing_a_client(benchmark: Benchmark) -> None:
    assert benchmark(make_key([HashKey.CLIENT]), ("192.0.2.1", 40_000), 80)
