"""The upstreams of a worker: what is done when something was said of their servers."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import pytest

from l4d.address import Inet
from l4d.child.assignment import Assignment
from l4d.config import model
from l4d.linux.pipes import Pipes
from l4d.movers.copy import make_buffer
from l4d.movers.machinery import Machinery
from l4d.session.session import Session
from l4d.stats import catalogue
from l4d.stats.standing import Standing, Verdict
from l4d.tcp.dial import dial
from l4d.tcp.service import TcpService
from l4d.terms import OnDown
from l4d.upstream.pool import Pool
from l4d.worker import upstreams as upstreams_module
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.upstreams import Upstreams
from tests.kit.wait import TIMEOUT, wait_until
from tests.unit.making import CONTROL, Lines, NeverWaiting, Row, config_of, member, upstream


def assignment_of(row: Row, config: model.Config) -> WorkerAssignment:
    """That of slot 0, with the row for its own."""
    nothing = cast(socket.socket, None)
    common = Assignment(1, config, None, row.board, row.columns, row.number, CONTROL, nothing, Lines(), 1, False)
    return WorkerAssignment.of(common, 0, 2, {}, {}, {}, b"", {})


class Office:
    """The upstreams of one worker, which hears the bell, and a TCP listener before two servers."""

    def __init__(self, stack: ExitStack, row: Row | None = None, most: int = 0, **settings: Any) -> None:
        self.stack = stack
        self.loop = NeverWaiting()
        stack.callback(self.loop.shut)
        self.row = row or Row()
        self.listening = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128)) for _ in range(2)]
        self.entries = tuple(
            member(name=name, address=Inet(*sock.getsockname()), max_sessions=most)
            for name, sock in zip(("one", "two"), self.listening, strict=True)
        )
        self.config = upstream(servers=self.entries, **{"max_fails": 1, "fail_timeout": 1000.0, **settings})
        self.upstreams = Upstreams(assignment_of(self.row, config_of(self.config)), self.loop, random.Random(1))
        self.pool = self.upstreams.pool(self.config)
        parts = self.row.service(self.loop, upstream=self.config)
        service = replace(parts, pool=self.pool)
        self.tcp = TcpService(service, Machinery(make_buffer(), Pipes(0, 1 << 16)), random.Random(1))
        stack.callback(self.tcp.stop)
        self.upstreams.add(self.tcp)
        self.upstreams.watch()
        self.loop.turn()  # what was written before is told once

    def client(self) -> socket.socket:
        with socket.create_server(("127.0.0.1", 0)) as gate:
            client = self.stack.enter_context(socket.create_connection(gate.getsockname(), timeout=TIMEOUT))
            accepted, address = gate.accept()
        dial(self.tcp, Session(self.tcp.service, address, 80, 2), accepted)
        return client

    def clients(self, number: int) -> None:
        for _ in range(number):
            self.client()
        self.until("all are served", lambda: len(self.tcp.idle) == number)

    def until(self, what: str, condition: Any) -> None:
        def turned() -> object:
            self.loop.turn()
            return condition()

        wait_until(what, turned)

    def judge(self, name: str, verdict: Verdict) -> None:
        """As control does."""
        Standing(self.row.said, self.row.columns, "db", name).judge(verdict, self.loop.now)
        self.row.board.ring()

    @property
    def loads(self) -> list[int]:
        return [server.load() for server in self.pool.servers]

    @property
    def ends(self) -> dict[str, int]:
        ends = self.row.columns.each(catalogue.SESSION_ENDS)
        return {labels[1]: number for labels, column in ends if (number := self.row.row[column])}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_an_upstream_has_one_pool_however_many_ask_for_it(stack: ExitStack) -> None:
    office = Office(stack)
    assert office.upstreams.pool(office.config) is office.pool
    assert [server.name for server in office.pool.servers] == ["one", "two"]


def test_the_bell_is_heard_though_no_client_comes(stack: ExitStack) -> None:
    office = Office(stack)
    one, _two = office.pool.servers
    office.row.another().server(office.config, name="one").failed(office.loop.now)
    assert one.out_until == 0
    office.loop.turn()
    assert one.out_until > 0


# Servers that go down


def test_the_sessions_of_a_server_that_went_down_are_kept_unless_that_closes_them(stack: ExitStack) -> None:
    office = Office(stack, on_down=OnDown.KEEP)
    office.clients(2)
    office.judge("one", Verdict.DOWN)
    for _ in range(5):
        office.loop.turn()
    assert office.loads == [1, 1]


def test_the_sessions_of_a_server_that_went_down_are_closed_if_the_upstream_says_so(stack: ExitStack) -> None:
    office = Office(stack, on_down=OnDown.CLOSE)
    office.clients(4)
    office.judge("one", Verdict.DOWN)
    office.until("they are closed", lambda: office.ends == {"SK": 2})
    assert office.loads == [0, 2]


def test_many_are_closed_a_batch_a_turn_so_that_others_are_served_meanwhile(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstreams_module, "BATCH", 3)
    office = Office(stack, on_down=OnDown.CLOSE)
    office.clients(14)
    office.judge("one", Verdict.DOWN)
    seen = [office.loads[0]]
    for _ in range(4):
        office.loop.turn()
        if office.loads[0] != seen[-1]:
            seen.append(office.loads[0])
    assert seen == [7, 4, 1, 0]
    assert office.loads[1] == 7


def test_a_server_that_comes_back_amid_the_closing_keeps_what_is_left(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstreams_module, "BATCH", 3)
    office = Office(stack, on_down=OnDown.CLOSE)
    office.clients(14)
    office.judge("one", Verdict.DOWN)
    office.until("some are closed", lambda: office.loads[0] < 7)
    office.judge("one", Verdict.UP)
    office.loop.turn()
    left = office.loads[0]
    assert left > 0
    for _ in range(5):
        office.loop.turn()
    assert office.loads == [left, 7]


def test_a_server_that_is_down_already_closes_nothing_again(stack: ExitStack) -> None:
    """Its later sessions, if it was up in between, are others."""
    office = Office(stack, on_down=OnDown.CLOSE)
    office.clients(2)
    office.judge("one", Verdict.DOWN)
    office.until("it is closed", lambda: office.ends == {"SK": 1})
    office.judge("one", Verdict.UP)
    office.loop.turn()
    office.client()
    office.client()
    office.until("both are served", lambda: len(office.tcp.idle) == 3)
    assert sorted(office.loads) == [1, 2]
    office.judge("one", Verdict.DOWN)
    office.until("what it had is closed", lambda: office.loads[0] == 0)


def test_a_drained_or_passively_failed_server_keeps_its_sessions(stack: ExitStack) -> None:
    office = Office(stack, on_down=OnDown.CLOSE)
    office.clients(2)
    office.row.another().server(office.config, name="one").failed(office.loop.now)
    for _ in range(3):
        office.loop.turn()
    assert office.loads == [1, 1]


@pytest.mark.parametrize("how", ["down", "leaving"])
def test_a_server_that_is_lost_while_it_is_dialled_does_not_get_the_session(stack: ExitStack, how: str) -> None:
    """Nobody would close it: what the server had has been looked through already."""
    office = Office(stack, on_down=OnDown.CLOSE, tries_timeout=60.0)
    for server in office.pool.servers:
        server.patience = 1  # it is not asked at once whether it has answered
    office.client()
    dialled = next(server for server in office.pool.servers if server.load())
    setattr(dialled, how, True)
    office.until("the other one serves", lambda: len(office.tcp.idle) == 1)
    assert dialled.load() == 0


# Those who wait


def test_those_who_wait_go_on_when_another_worker_tells_of_a_gap(stack: ExitStack) -> None:
    office = Office(stack, most=1, queue=5, queue_timeout=60.0)
    theirs = office.row.another().server(office.config, name="one", max_sessions=1)
    assert theirs.take()
    office.client()
    waiting = office.client()
    office.loop.turn()
    assert len(office.tcp.queued) == 1
    theirs.give_back()
    office.until("it goes on", lambda: not office.tcp.queued)
    waiting.sendall(b"question")
    assert office.loads == [1, 1]


def test_those_who_wait_go_on_when_the_worker_dies_that_had_the_sessions(stack: ExitStack) -> None:
    office = Office(stack, most=1, queue=5, queue_timeout=60.0)
    dying = office.row.another()
    assert all(dying.server(office.config, name=name, max_sessions=1).take() for name in ("one", "two"))
    office.client()
    office.loop.turn()
    assert len(office.tcp.queued) == 1
    office.row.board.retire_row(dying.number, office.row.columns.counters(), office.row.columns.used)
    office.until("it goes on", lambda: not office.tcp.queued)
    assert office.loads == [1, 0]


def test_those_who_wait_go_on_when_the_operator_makes_room(stack: ExitStack) -> None:
    office = Office(stack, most=1, queue=5, queue_timeout=60.0)
    office.clients(2)
    office.client()
    office.loop.turn()
    assert len(office.tcp.queued) == 1
    Standing(office.row.said, office.row.columns, "db", "two").wish_sessions(5, office.entries[1])
    office.row.board.ring()
    office.until("it goes on", lambda: not office.tcp.queued)
    assert office.loads == [1, 2]


# Work that is left


def test_what_balancing_has_left_to_do_is_done_a_piece_a_turn(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(stack)
    pieces = [True, True, False]
    asked: list[int] = []

    def work(_pool: Pool) -> bool:
        asked.append(len(asked))
        return pieces[len(asked) - 1]

    monkeypatch.setattr(Pool, "work", work)
    office.upstreams.tend()
    assert len(asked) == 1
    for expected in (2, 3, 3):
        office.loop.turn()
        assert len(asked) == expected
