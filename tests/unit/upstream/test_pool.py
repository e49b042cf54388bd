"""A pool: the choice among the servers of an upstream, in one worker."""

from collections.abc import Collection
from typing import Any

import pytest

from l4d.address import Inet
from l4d.stats import catalogue
from l4d.stats.standing import Standing, Verdict
from l4d.terms import ServerState
from l4d.upstream.pool import Pool
from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import SLOWEST_START, Server
from tests.unit.making import Row, always, member, upstream

UPSTREAM = upstream(max_fails=1, fail_timeout=10.0)
CLIENT = ("10.9.9.9", 4711)


@pytest.fixture
def row() -> Row:
    return Row()


class Choosing:
    """Chooses from a pool, names what was chosen, and by itself has every session over at once."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    def keep(self, now: float = 0, *tried: Server) -> Server | None:
        """The server of a session that stays."""
        return self.pool.choose(tried, now, CLIENT, 80)

    def names(self, times: int, now: float = 0, *tried: Server) -> list[str | None]:
        chosen = []
        for _ in range(times):
            server = self.keep(now, *tried)
            chosen.append(server.name if server else None)
            if server is not None:
                server.given_up()
                server.give_back()
        return chosen

    def server(self, name: str) -> Server:
        return next(server for server in self.pool.servers if server.name == name)


def pool_of(row: Row, **servers: dict[str, Any]) -> Choosing:
    pool = row.pool(*(row.place(UPSTREAM, name=name, **changes) for name, changes in servers.items()))
    pool.refresh(0)
    return Choosing(pool)


def two(row: Row) -> Choosing:
    return pool_of(row, a={}, b={})


def and_a_backup(row: Row) -> Choosing:
    return pool_of(row, a={}, b={"backup": True})


def test_all_ordinary_servers_are_chosen_in_turn(row: Row) -> None:
    assert two(row).names(4) == ["a", "b", "a", "b"]


def test_a_pool_knows_who_is_there_after_its_first_look(row: Row) -> None:
    pool = row.pool(row.place(name="a"), row.seat_place())
    assert list(pool.servers) == []
    pool.refresh(0)
    assert [server.name for server in pool.servers] == ["a"]


def test_an_address_that_control_has_found_is_chosen_when_the_bell_has_rung(row: Row) -> None:
    choosing = Choosing(row.pool(row.seat_place()))
    assert choosing.names(1) == [None]
    row.seat().sit(Inet("10.0.0.1", 80), 1, backup=False)
    assert choosing.names(1) == [None]
    row.board.ring()
    assert choosing.names(1) == ["db.example:80#1"]


def test_a_server_that_was_tried_is_not_tried_again(row: Row) -> None:
    choosing = two(row)
    a, b = choosing.pool.servers
    assert choosing.names(3, 0, a) == ["b", "b", "b"]
    assert choosing.names(1, 0, a, b) == [None]


@pytest.mark.parametrize("state", [ServerState.DRAIN, ServerState.MAINT])
def test_a_server_that_is_not_to_have_new_sessions_gets_none(row: Row, state: ServerState) -> None:
    assert pool_of(row, a={"state": state}).names(1) == [None]


def test_a_server_whose_checks_have_failed_gets_none_and_is_no_last_resort(row: Row) -> None:
    choosing = two(row)
    for name in "ab":
        Standing(row.said, row.columns, "db", name).judge(Verdict.DOWN, 1)
    row.board.ring()
    assert choosing.names(1, 1) == [None]
    choosing.server("a").failed(1)
    assert choosing.names(1, 2) == [None]


def test_a_backup_is_chosen_when_no_ordinary_server_can_be(row: Row) -> None:
    choosing = and_a_backup(row)
    a = choosing.server("a")
    assert choosing.names(2) == ["a", "a"]
    assert choosing.names(1, 0, a) == ["b"]
    a.failed(0)
    assert choosing.names(2, 5) == ["b", "b"]
    assert choosing.names(1, 10) == ["a"]


def test_a_backup_is_chosen_when_the_ordinary_servers_are_full(row: Row) -> None:
    choosing = pool_of(row, a={"max_sessions": 1}, b={"backup": True})
    assert choosing.keep() is choosing.server("a")
    assert choosing.names(1) == ["b"]


# When servers are out


def test_when_all_are_out_an_ordinary_server_is_tried_all_the_same(row: Row) -> None:
    choosing = and_a_backup(row)
    a, b = choosing.pool.servers
    a.failed(0)
    b.failed(0)
    assert choosing.names(1, 5) == ["a"]
    assert choosing.names(1, 5, a) == ["b"]
    assert choosing.names(1, 5, a, b) == [None]


def test_of_those_that_are_out_the_one_with_the_least_to_do_for_its_weight_is_tried(row: Row) -> None:
    choosing = pool_of(row, a={"weight": 2}, b={}, c={"max_sessions": 1})
    for server in choosing.pool.servers:
        server.failed(0)
    a, b, c = choosing.pool.servers
    assert [choosing.keep(5) for _ in range(5)] == [a, b, c, a, a]


def test_a_drained_server_is_no_last_resort(row: Row) -> None:
    choosing = pool_of(row, a={"state": ServerState.DRAIN}, b={})
    for server in choosing.pool.servers:
        server.failed(0)
    assert choosing.names(2, 5) == ["b", "b"]


def test_one_that_has_answered_as_the_last_resort_is_chosen_again_at_once(row: Row) -> None:
    choosing = pool_of(row, a={})
    a = choosing.server("a")
    a.failed(100)
    assert choosing.keep(103) is a
    a.succeeded(103)
    assert choosing.names(2, 104) == ["a", "a"]
    assert a.out_until == 0


def test_on_probation_the_others_are_chosen_while_one_dial_is_under_way(row: Row) -> None:
    choosing = two(row)
    a = choosing.server("a")
    a.failed(0)
    chosen = {choosing.keep(11), choosing.keep(11)}
    assert a in chosen
    assert choosing.names(3, 11) == ["b", "b", "b"]
    assert a.succeeded(11)
    assert set(choosing.names(4, 11)) == {"a", "b"}


def test_on_probation_more_dials_are_made_when_nobody_else_is_left(row: Row) -> None:
    """A client would rather be dialled for than refused, as when the server was still out."""
    choosing = pool_of(row, a={})
    a = choosing.server("a")
    a.failed(100)
    assert [choosing.keep(111) for _ in range(3)] == [a, a, a]
    assert not choosing.pool.is_crowded(())


# What is heard of others


def test_the_bell_makes_a_pool_take_over_what_other_workers_say(row: Row) -> None:
    choosing, there = two(row), row.another()
    assert choosing.names(2, 5) == ["a", "b"]
    there.server(UPSTREAM, name="a").failed(5)
    assert choosing.names(2, 5) == ["b", "b"]
    assert choosing.names(2, 24.9) == ["b", "b"]
    assert set(choosing.names(2, 25)) == {"a", "b"}


def test_without_the_bell_the_board_is_not_read(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    choosing = two(row)
    choosing.names(1, 5)
    with monkeypatch.context() as patched:
        patched.setattr(row.board, "ring", lambda: None)
        row.another().server(UPSTREAM, name="a").failed(5)
    assert set(choosing.names(4, 5)) == {"a", "b"}
    row.board.ring()
    assert set(choosing.names(4, 5)) == {"b"}


def test_a_server_put_out_while_the_pool_is_being_made_is_not_missed(row: Row) -> None:
    """Another worker rings after our places were made and before the pool first hears the bell."""
    places = [row.place(UPSTREAM, name=name) for name in "ab"]
    row.another().server(UPSTREAM, name="a").failed(5)
    assert Choosing(row.pool(*places)).names(2, 5) == ["b", "b"]


# Slow start


def test_a_server_that_comes_back_slowly_is_looked_at_with_each_step(row: Row) -> None:
    config = upstream(slow_start=20.0)
    pool = row.pool(*(row.place(config, name=name) for name in "ab"), step=1.0)
    standing = Standing(row.said, row.columns, "db", "a")
    standing.judge(Verdict.DOWN, 50)
    standing.judge(Verdict.UP, 100)
    choosing = Choosing(pool)
    weights = []
    for now in (100, 100.9, 101.1, 110, 120, 130):
        choosing.names(1, now)
        weights.append(choosing.server("a").weight)
    assert weights == [SLOWEST_START, SLOWEST_START, pytest.approx(0.055), 0.5, 1.0, 1.0]


def test_a_server_that_has_just_come_back_gets_few_sessions(row: Row) -> None:
    config = upstream(slow_start=20.0)
    choosing = Choosing(row.pool(*(row.place(config, name=name) for name in "ab"), step=1.0))
    standing = Standing(row.said, row.columns, "db", "a")
    standing.judge(Verdict.DOWN, 50)
    standing.judge(Verdict.UP, 100)
    assert choosing.names(100, 100).count("a") <= 2
    assert 30 <= choosing.names(100, 119).count("a") <= 50


# Full servers, and the queue


def test_a_full_server_is_not_chosen_and_its_sessions_are_counted_over_all_workers(row: Row) -> None:
    here, there = (pool_of(each, a={"max_sessions": 2}) for each in (row, row.another()))
    a = here.keep()
    assert a is not None
    assert there.keep() is not None
    assert (here.keep(), there.keep()) == (None, None)
    a.give_back()
    assert there.keep() is not None


def test_when_another_worker_has_just_taken_the_last_place_the_next_server_is_chosen(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    choosing = pool_of(row, a={"max_sessions": 1}, b={})
    theirs = row.another().server(UPSTREAM, name="a", max_sessions=1)
    take = Server.take

    def just_after_another(server: Server) -> bool:
        monkeypatch.setattr(Server, "take", take)
        assert theirs.take()
        return server.take()

    monkeypatch.setattr(Server, "take", just_after_another)
    assert choosing.keep() is choosing.server("b")
    assert theirs.load() == 1


def test_who_found_every_server_full_may_wait_for_one(row: Row) -> None:
    choosing = pool_of(row, a={"max_sessions": 1}, b={"state": ServerState.DRAIN, "max_sessions": 1})
    a = choosing.keep()
    assert a is not None
    assert choosing.keep() is None
    assert choosing.pool.is_crowded(())
    assert choosing.keep(0, a) is None
    assert not choosing.pool.is_crowded((a,)), "it has tried the only one that is open"


def test_who_found_a_server_full_may_wait_for_it_though_another_worker_has_made_room_since(row: Row) -> None:
    """Had the room been made before the look, the server would have been chosen."""
    choosing = pool_of(row, a={"max_sessions": 1})
    theirs = row.another().server(UPSTREAM, name="a", max_sessions=1)
    assert theirs.take()
    assert choosing.keep() is None
    theirs.give_back()
    assert choosing.pool.is_crowded(())


def test_nobody_waits_for_servers_that_are_drained_down_or_out(row: Row) -> None:
    choosing = pool_of(row, a={"state": ServerState.DRAIN}, b={"state": ServerState.MAINT}, c={}, d={})
    Standing(row.said, row.columns, "db", "c").judge(Verdict.DOWN, 1)
    choosing.server("d").failed(1)
    row.board.ring()
    assert choosing.keep(2, choosing.server("d")) is None
    assert not choosing.pool.is_crowded((choosing.server("d"),))
    assert not choosing.pool.is_crowded(())


def test_a_wish_that_makes_room_is_heard_with_the_bell(row: Row) -> None:
    choosing = pool_of(row, a={"max_sessions": 1})
    choosing.keep()
    assert choosing.names(1) == [None]
    Standing(row.said, row.columns, "db", "a").wish_sessions(0, member(name="a", max_sessions=1))
    row.board.ring()
    assert choosing.names(1) == ["a"]


def test_the_queue_has_its_bound_over_all_workers(row: Row) -> None:
    here, there = row.pool(), row.another().pool()
    assert [here.enter_queue(2), there.enter_queue(2)] == [True, True]
    assert [here.enter_queue(2), there.enter_queue(2)] == [False, False]
    here.leave_queue()
    assert there.enter_queue(2)


def test_one_who_has_waited_in_another_worker_has_its_place_in_a_full_queue_too(row: Row) -> None:
    here, there = row.pool(), row.another().pool()
    assert [here.enter_queue(2), here.enter_queue(2)] == [True, True]
    here.leave_queue()
    there.resume_queue()
    assert row.board.total(row.columns.of(catalogue.QUEUE_SESSIONS, "db")) == 2
    there.resume_queue()
    assert not here.enter_queue(3)


def test_without_a_queue_nobody_enters_it(row: Row) -> None:
    assert not row.pool().enter_queue(0)


def test_those_who_waited_in_a_worker_that_died_wait_no_more(row: Row) -> None:
    dying = row.another()
    assert dying.pool().enter_queue(1)
    assert not row.pool().enter_queue(1)
    row.board.retire_row(dying.number, row.columns.counters(), row.columns.used)
    assert row.pool().enter_queue(1)


# Balancing


class Noted(RoundRobin):
    """Notes by which key and at what time it chooses, and says that it has work left."""

    def __init__(self, more: bool = False) -> None:
        super().__init__()
        self.more = more
        self.worked = 0
        self.asked: list[tuple[int, float]] = []

    def choose(self, tried: Collection[Server], key: int, now: float) -> Server | None:
        self.asked.append((key, now))
        return super().choose(tried, key, now)

    def work(self) -> bool:
        self.worked += 1
        return self.more


def test_the_key_is_made_of_the_client_and_the_port_it_came_to(row: Row) -> None:
    balancer = Noted()
    pool = Pool(
        always(row.place()), lambda: balancer, row.board, (row.row, 3), lambda client, port: hash((client, port))
    )
    pool.choose((), 7.0, CLIENT, 5432)
    assert set(balancer.asked) == {(hash((CLIENT, 5432)), 7.0)}


def test_where_nothing_is_hashed_the_key_is_0(row: Row) -> None:
    balancer = Noted()
    Pool(always(row.place()), lambda: balancer, row.board, (row.row, 3)).choose((), 7.0, CLIENT, 5432)
    assert set(balancer.asked) == {(0, 7.0)}


@pytest.mark.parametrize("lefts", [(False, False), (True, False), (False, True), (True, True)])
def test_a_pool_has_work_left_as_long_as_any_of_its_balancers_has(row: Row, lefts: tuple[bool, bool]) -> None:
    balancers = [Noted(more) for more in lefts]
    made = iter(balancers)
    pool = Pool(always(row.place()), lambda: next(made), row.board, (row.row, 3))
    assert pool.work() is any(lefts)
    assert [balancer.worked for balancer in balancers] == [1, 1]


def told(choosing: Choosing, now: float = 0) -> tuple[str | None, str, dict[str, tuple[bool, str]]]:
    """Who would be chosen, why, and what is to be said of each server."""
    pool = choosing.pool
    outlook = pool.peek(now, CLIENT, 80)
    remarks = {one.server.name: (one.takes, one.why) for one in pool.remarks(outlook, now)}
    if outlook is None:
        return None, "", remarks
    return outlook.server.name if outlook.server else None, outlook.why, remarks


def test_who_would_be_chosen_is_told_with_what_is_to_be_said_of_the_others(row: Row) -> None:
    choosing = pool_of(row, a={}, b={}, c={"state": ServerState.DRAIN}, d={"backup": True}, e={"max_sessions": 1})
    choosing.server("e").take()
    assert told(choosing) == (
        "a",
        "next in turn",
        {
            "a": (True, "next in turn"),
            "b": (True, "its turn comes later"),
            "c": (False, "drain, in the file"),
            "d": (False, "a backup, and ordinary servers can take it"),
            "e": (False, "full: 1 of max_sessions 1"),
        },
    )
    assert choosing.names(1) == ["a"]


def test_a_backup_that_would_be_chosen_is_told_to_be_one(row: Row) -> None:
    choosing = pool_of(row, a={"state": ServerState.DRAIN}, b={"backup": True}, c={"backup": True})
    name, why, remarks = told(choosing)
    assert (name, why) == ("b", "no ordinary server takes it; of the backups: next in turn")
    assert remarks["c"] == (True, "its turn comes later")


def test_of_those_that_are_out_it_is_told_how_long_yet_and_who_is_tried_all_the_same(row: Row) -> None:
    choosing = two(row)
    for server in choosing.pool.servers:
        server.failed(0)
    row.board.ring()
    name, why, remarks = told(choosing, 0.5)
    assert (name, why) == ("a", "nobody else is left, though its dials have failed")
    assert remarks["b"] == (False, "out for 10 s more after failed dials")


def test_one_on_probation_with_a_dial_under_way_is_told_to_be(row: Row) -> None:
    choosing = two(row)
    choosing.server("a").failed(0)
    row.board.ring()
    assert choosing.keep(10.5) is choosing.server("a")
    assert told(choosing, 10.6)[2]["a"] == (False, "on probation, and a dial is under way")


def test_when_nobody_can_be_chosen_nobody_is_named(row: Row) -> None:
    choosing = pool_of(row, a={"state": ServerState.MAINT})
    assert told(choosing) == (None, "", {"a": (False, "maint, in the file")})
    full = pool_of(row, b={"max_sessions": 1}, c={})
    full.server("c").failed(0)
    row.board.ring()
    full.server("b").take()
    full.server("c").max_sessions = 0
    assert told(full, 1)[0] == "c"
    full.pool._patient = True
    assert told(full, 1)[0] is None


def test_a_pool_that_hashes_tells_whom_the_hash_means(row: Row) -> None:
    places = [row.place(name=name) for name in "ab"]
    pool = Pool(always(*places), RoundRobin, row.board, (row.row, 0), key=lambda client, port: port)
    outlook = pool.peek(0, CLIENT, 80)
    assert outlook is not None
    assert outlook.server is places[0].server


def test_nobody_is_left_where_all_that_are_out_are_full(row: Row) -> None:
    choosing = pool_of(row, a={"max_sessions": 1})
    choosing.server("a").take()
    choosing.server("a").failed(0)
    row.board.ring()
    assert told(choosing, 1)[0] is None
