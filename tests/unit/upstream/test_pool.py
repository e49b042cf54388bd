"""A pool: the choice among the servers of an upstream."""

import pytest

from l4d.terms import ServerState
from l4d.upstream.server import Server
from tests.unit.making import Row, upstream

UPSTREAM = upstream(max_fails=1, fail_timeout=10.0)


@pytest.fixture
def row() -> Row:
    return Row()


def name_of(server: Server | None) -> str | None:
    return server.name if server else None


def test_all_ordinary_servers_are_chosen_in_turn(row: Row) -> None:
    pool = row.pool(*(row.server(UPSTREAM, name=name) for name in "ab"))
    assert [name_of(pool.choose((), 0)) for _ in range(4)] == ["a", "b", "a", "b"]


def test_a_server_that_was_tried_is_not_tried_again(row: Row) -> None:
    one, other = (row.server(UPSTREAM, name=name) for name in "ab")
    pool = row.pool(one, other)
    assert [pool.choose({one}, 0) for _ in range(3)] == [other, other, other]
    assert pool.choose({one, other}, 0) is None


@pytest.mark.parametrize("state", [ServerState.DRAIN, ServerState.MAINT])
def test_a_server_that_is_not_to_have_new_sessions_gets_none(row: Row, state: ServerState) -> None:
    pool = row.pool(row.server(UPSTREAM, state=state))
    assert pool.choose((), 0) is None


def test_a_backup_is_chosen_when_no_ordinary_server_can_be(row: Row) -> None:
    ordinary, backup = row.server(UPSTREAM, name="a"), row.server(UPSTREAM, name="b", backup=True)
    pool = row.pool(ordinary, backup)
    assert pool.choose((), 0) is ordinary
    assert pool.choose({ordinary}, 0) is backup
    ordinary.failed(0)
    assert pool.choose((), 5) is backup
    assert pool.choose((), 10) is ordinary


def test_when_all_are_out_an_ordinary_server_is_tried_all_the_same(row: Row) -> None:
    ordinary, backup = row.server(UPSTREAM, name="a"), row.server(UPSTREAM, name="b", backup=True)
    pool = row.pool(ordinary, backup)
    ordinary.failed(0)
    backup.failed(0)
    assert pool.choose((), 5) is ordinary
    assert pool.choose({ordinary}, 5) is backup
    assert pool.choose({ordinary, backup}, 5) is None


def test_a_drained_server_is_no_last_resort(row: Row) -> None:
    drained, out = row.server(UPSTREAM, name="a", state=ServerState.DRAIN), row.server(UPSTREAM, name="b")
    pool = row.pool(drained, out)
    out.failed(0)
    assert pool.choose((), 5) is out


def test_the_bell_makes_a_pool_take_over_what_other_workers_say(row: Row) -> None:
    here, there = row, row.another()
    pool = here.pool(*(here.server(UPSTREAM, name=name) for name in "ab"))
    assert [name_of(pool.choose((), 5)) for _ in range(2)] == ["a", "b"]
    there.server(UPSTREAM, name="a").failed(5)
    assert [name_of(pool.choose((), 5)) for _ in range(2)] == ["b", "b"]
    assert [name_of(pool.choose((), 15)) for _ in range(2)] == ["a", "b"]


def test_without_the_bell_the_board_is_not_read(row: Row) -> None:
    silent = row.pool(*(row.server(UPSTREAM, name=name) for name in "ab"), bell=lambda: 7)
    silent.choose((), 5)
    row.another().server(UPSTREAM, name="a").failed(5)
    assert [name_of(silent.choose((), 5)) for _ in range(3)] == ["b", "a", "b"]


def test_a_server_put_out_while_the_pool_is_being_made_is_not_missed(row: Row) -> None:
    """Another worker rings after our server was made and before the pool first hears the bell."""
    servers = [row.server(UPSTREAM, name=name) for name in "ab"]
    row.another().server(UPSTREAM, name="a").failed(5)
    pool = row.pool(*servers)
    assert [name_of(pool.choose((), 5)) for _ in range(2)] == ["b", "b"]
