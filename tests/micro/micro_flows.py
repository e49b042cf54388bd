"""Looking up the flow of a client, among a hundred and among fifteen thousand."""

import pytest

from l4d.loop.deadlines import Deadlines
from l4d.udp.table import FlowTable
from tests.micro.benchmark import Benchmark

Client = tuple[str, int]


@pytest.mark.parametrize("count", [100, 15_000])
def test_a_flow_is_found_among_so_many(benchmark: Benchmark, count: int) -> None:
    table, client = _table(count)
    assert benchmark(table.get, client) is not None


@pytest.mark.parametrize("count", [100, 15_000])
def test_a_flow_is_heard_among_so_many(benchmark: Benchmark, count: int) -> None:
    table, client = _table(count)
    entry = table.get(client)
    assert entry is not None
    benchmark(table.hear, entry, 2.0)


@pytest.mark.parametrize("count", [100, 15_000])
def test_a_flow_comes_and_goes_among_so_many(benchmark: Benchmark, count: int) -> None:
    table, _ = _table(count)
    client, entry = ("192.0.2.1", 1), object()

    def come_and_go() -> None:
        table.put(client, entry)
        table.hear(entry, 2.0)
        table.remove(client, entry)

    benchmark(come_and_go)
    assert table.get(client) is None


def _table(count: int) -> tuple[FlowTable[Client, object], Client]:
    """With so many flows, and a client that has one."""
    table: FlowTable[Client, object] = FlowTable(count + 1, Deadlines(60.0, lambda _: None))
    clients = [(f"10.0.{number // 250}.{number % 250}", 40_000 + number) for number in range(count)]
    for client in clients:
        entry = object()
        table.put(client, entry)
        table.hear(entry, 1.0)
    return table, clients[count // 2]
