"""Dialling, turn by turn: what happens when several things happen in one turn, and what is counted meanwhile."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from l4d.loop import loop as loop_module
from l4d.session import dialling
from l4d.stats import catalogue
from tests.kit.wait import is_readable
from tests.unit.making import Clock
from tests.unit.tcp.house import House


@pytest.fixture
def house() -> Iterator[House]:
    with ExitStack() as stack:
        house = House(stack, early_close=60.0)
        for server in house.pool.servers:
            server.patience = 100  # every answer is waited for, as from a server far away
        yield house


def test_a_server_that_closes_early_is_left_for_another_and_the_client_does_not_notice(house: House) -> None:
    client = house.client()
    house.accept(house.one).close()
    peer = house.accept(house.two)
    client.sendall(b"question")
    house.turn_until("the question has passed", lambda: is_readable(peer))
    assert peer.recv(100) == b"question"
    assert house.count(catalogue.SERVER_FAILURES) == {"one early_close": 1}


def test_a_client_that_speaks_in_the_turn_in_which_its_server_closes_early_is_dialled_for_again(house: House) -> None:
    """Both events are in one batch, the server's first: the client's is not news of its leaving."""
    client = house.client()
    peer = house.accept(house.one)
    house.turn_until("the relay has begun", lambda: house.count(catalogue.SERVER_SESSIONS))
    peer.close()
    client.sendall(b"question")
    other = house.accept(house.two)
    house.turn_until("the question has passed", lambda: is_readable(other))
    assert other.recv(100) == b"question"
    assert house.count(catalogue.SESSION_ENDS) == {}


# What a server has to do while it is dialled


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def loads(house: House) -> list[int]:
    return [server.load() for server in house.pool.servers]


def test_a_dial_under_way_counts_as_a_session_of_its_server_and_an_answer_changes_nothing(house: House) -> None:
    house.client()
    assert loads(house) == [1, 0]
    assert house.count(catalogue.SERVER_SESSIONS_TOTAL) == {}
    house.accept(house.one)
    house.turn_until("the relay has begun", lambda: house.count(catalogue.SERVER_SESSIONS_TOTAL))
    assert loads(house) == [1, 0]
    house.tcp.stop()
    assert loads(house) == [0, 0]
    assert house.ends == {"XD": 1}


def test_a_client_that_leaves_while_it_is_dialled_for_leaves_no_count_behind(house: House) -> None:
    client = house.client()
    assert loads(house) == [1, 0]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    house.turn_until("the session is over", lambda: house.ends)
    assert loads(house) == [0, 0]
    assert house.ends in ({"CC": 1}, {"CD": 1})  # the server may have answered first


def test_a_session_that_was_refused_everywhere_leaves_no_count_behind(stack: ExitStack) -> None:
    house = House(stack)
    house.one.close()
    house.two.close()
    client = house.client()
    house.turn_until("the session is over", lambda: house.ends)
    assert loads(house) == [0, 0]
    assert house.ends == {"SC": 1}
    assert client.recv(1) == b""


def test_a_session_for_which_no_socket_could_be_opened_leaves_no_count_behind(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: Any) -> None:
        raise OSError(errno.EMFILE, "none left")

    house = House(stack, max_fails=1)
    monkeypatch.setattr(dialling, "open_socket", none_left)
    house.client()
    assert loads(house) == [0, 0]
    assert house.ends == {"RC": 1}
    assert [server.out_until for server in house.pool.servers] == [0, 0]


class Slow(House):
    """No server ever answers, as far as l4d can see; time is a number."""

    def __init__(self, stack: ExitStack, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.clock = Clock()
        monkeypatch.setattr(loop_module, "time", self.clock)
        monkeypatch.setattr(dialling, "connect", lambda *_: errno.EINPROGRESS)
        super().__init__(stack, **settings)

    def after(self, seconds: float) -> None:
        self.clock.now += seconds
        self.loop._expire(self.clock.now)


def test_a_session_goes_from_one_silent_server_to_the_next_and_is_counted_at_one_of_them(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Slow(stack, monkeypatch, connect_timeout=5.0)
    house.client()
    seen = [loads(house)]
    for _ in range(2):
        house.loop.now = house.clock.now
        house.after(5)
        seen.append(loads(house))
    assert seen == [[1, 0], [0, 1], [0, 0]]
    assert house.ends == {"sC": 1}


def test_tries_timeout_ends_it_wherever_it_is(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    house = Slow(stack, monkeypatch, tries_timeout=7.0, connect_timeout=60.0)
    house.client()
    house.after(7)
    assert loads(house) == [0, 0]
    assert house.ends == {"sC": 1}


def test_on_probation_a_dial_that_is_given_up_makes_room_for_the_next(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Slow(stack, monkeypatch, tries_timeout=7.0, connect_timeout=60.0)
    one = house.server("one")
    one.on_probation = True
    house.client()
    assert one.trying == 1
    assert not one.takes(())
    house.after(7)
    assert one.trying == 0
    assert one.takes(())


def test_a_bug_while_a_session_is_dialled_for_leaves_no_count_behind(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Slow(stack, monkeypatch)
    house.client()
    (dial,) = house.tcp.tries
    dial.broke()  # type: ignore[attr-defined]
    assert loads(house) == [0, 0]
