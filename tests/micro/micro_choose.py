"""Choosing a server, in every algorithm, among ten and among a thousand."""

import pytest

from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.terms import Balance
from l4d.upstream.balance import make_balancer
from l4d.upstream.pool import Pool
from tests.micro.benchmark import Benchmark
from tests.unit.making import Row, upstream

_COLUMNS = 32_768


@pytest.mark.parametrize("count", [10, 1000])
@pytest.mark.parametrize("balance", list(Balance))
def test_choosing_among_so_many(benchmark: Benchmark, balance: Balance, count: int) -> None:
    row = Row(Board(rows=2, columns=_COLUMNS), Columns(_COLUMNS))
    config = upstream(balance=balance)
    servers = [row.server(config, name=f"s{number}") for number in range(count)]
    pool = Pool(servers, make_balancer(balance, 0), lambda: 0)
    assert benchmark(pool.choose, (), 1e9) in servers
