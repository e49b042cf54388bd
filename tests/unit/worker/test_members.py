"""The pool of an upstream as a worker has it."""

import random
from typing import Any

import pytest

from l4d.address import Host, Inet
from l4d.config import model
from l4d.stats import catalogue
from l4d.stats.columns import Columns
from l4d.stats.standing import Standing, Verdict
from l4d.terms import Balance
from l4d.upstream.pool import Pool
from l4d.worker.members import make_pool
from tests.unit.control.making import COLUMNS
from tests.unit.making import OwnBoard, Row, config_of, member, upstream
from tests.unit.worker.test_upstreams import assignment_of

CLIENT = ("192.0.2.1", 1234)
THREE = tuple(member(name=name, address=Inet(f"10.0.0.{n}", 80)) for n, name in enumerate(("a", "b", "c"), start=1))


def pool_of(row: Row, config: model.Upstream) -> Pool:
    pool = make_pool(assignment_of(row, config_of(config)), config, row.row, random.Random(1))
    pool.refresh(1000.0)
    return pool


def chosen(pool: Pool, times: int, client: object = CLIENT) -> list[str]:
    servers = [pool.choose((), 1000.0, client, 80) for _ in range(times)]
    return [server.name for server in servers if server is not None]


@pytest.mark.parametrize("balance", Balance)
def test_each_balancing_chooses_among_the_servers_of_the_file(balance: Balance) -> None:
    pool = pool_of(Row(), upstream(servers=THREE, balance=balance))
    assert [server.name for server in pool.servers] == ["a", "b", "c"]
    names = chosen(pool, 12)
    assert len(names) == 12
    assert set(names) <= {"a", "b", "c"}


@pytest.mark.parametrize(("balance", "names"), [(Balance.FIRST, 1), (Balance.HASH, 1), (Balance.ROUND_ROBIN, 3)])
def test_the_balancing_is_the_one_of_the_file(balance: Balance, names: int) -> None:
    assert len(set(chosen(pool_of(Row(), upstream(servers=THREE, balance=balance)), 12))) == names


def test_two_workers_choose_alike_by_hash() -> None:
    row = Row()
    config = upstream(servers=THREE, balance=Balance.HASH)
    pools = pool_of(row, config), pool_of(row.another(), config)
    for number in range(50):
        client = (f"192.0.2.{number}", 1)
        assert chosen(pools[0], 1, client) == chosen(pools[1], 1, client)


def test_what_control_and_other_workers_have_said_before_is_known_from_the_beginning() -> None:
    row = Row()
    config = upstream(servers=THREE, max_fails=1)
    Standing(row.said, row.columns, "db", "a").judge(Verdict.DOWN, 1.0)
    row.another().server(config, name="b").failed(1000.0)
    assert set(chosen(pool_of(row, config), 6)) == {"c"}


def test_backups_serve_when_nobody_else_does() -> None:
    row = Row()
    config = upstream(servers=(THREE[0], member(name="b", address=THREE[1].address, backup=True)))
    pool = pool_of(row, config)
    assert set(chosen(pool, 6)) == {"a"}
    Standing(row.said, row.columns, "db", "a").judge(Verdict.DOWN, 1.0)
    row.board.ring()
    assert set(chosen(pool, 6)) == {"b"}


def test_a_name_and_an_address_are_servers_side_by_side() -> None:
    row = Row(OwnBoard(rows=8, columns=COLUMNS), Columns(COLUMNS))
    config = upstream(servers=(THREE[0], member(name="db.example:80", address=Host("db.example", 80))))
    pool = pool_of(row, config)
    assert [server.name for server in pool.servers] == ["a"]
    row.seat(2).sit(Inet("10.0.0.9", 80), 1, backup=False)
    row.said[row.columns.of(catalogue.SEATS_TAKEN, "db", "db.example:80")] = 2
    row.board.ring()
    assert set(chosen(pool, 6)) == {"a", "db.example:80#2"}


@pytest.mark.parametrize(("queue", "waits"), [(0, False), (5, True)])
def test_where_there_is_a_queue_a_session_waits_rather_than_going_to_a_server_that_is_out(
    queue: int, waits: bool
) -> None:
    row = Row()
    config = upstream(servers=(member(name="a", max_sessions=1), THREE[1]), queue=queue, max_fails=1)
    pool = pool_of(row, config)
    pool.servers[1].failed(1000.0)
    assert chosen(pool, 1) == ["a"]
    assert chosen(pool, 1) == ([] if waits else ["b"])


def test_those_who_wait_are_counted_on_the_row_of_the_worker() -> None:
    row = Row()
    pool = pool_of(row, upstream(servers=THREE, queue=1))
    assert pool.enter_queue(1)
    assert row.row[row.columns.of(catalogue.QUEUE_SESSIONS, "db")] == 1


def weight_after(settings: dict[str, Any], seconds: float) -> float:
    """The weight of a server, so long after it has come back."""
    row = Row()
    standing = Standing(row.said, row.columns, "db", "a")
    standing.judge(Verdict.DOWN, 999.0)
    standing.judge(Verdict.UP, 1000.0)
    pool = pool_of(row, upstream(servers=THREE, **settings))
    pool.choose((), 1000.0 + seconds, CLIENT, 80)
    return pool.servers[0].weight


def test_a_server_that_comes_back_gets_its_weight_in_steps_without_any_bell() -> None:
    weights = [weight_after({"slow_start": 10.0}, seconds) for seconds in (0.0, 2.5, 5.0, 10.0)]
    assert weights == [pytest.approx(0.01), pytest.approx(0.25), pytest.approx(0.5), 1.0]
    assert weight_after({}, 0.0) == 1.0
