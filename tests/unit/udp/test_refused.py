"""A client whose server refused it, until its next datagram, here or in another worker."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from l4d.loop import loop as loop_module
from l4d.udp import transfer
from tests.unit.making import Clock
from tests.unit.udp.test_flow import everything
from tests.unit.udp.test_transfer import Move


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    return clock


@pytest.fixture
def move(clock: Clock) -> Iterator[Move]:
    """The first server of the first worker's client has refused it."""
    with ExitStack() as stack:
        move = Move(stack, clock)
        move.old.one.close()
        move.old.send(b"lost")
        assert move.old.ends == {"UI": 1}
        yield move


def test_what_it_avoids_goes_along(move: Move) -> None:
    move.begin()
    move.move()
    assert (len(move.old.receiver.flows), len(move.new.receiver.flows)) == (0, 1)
    move.old.send(b"found")
    assert everything(move.new.two) == [b"found"]
    assert (move.old.begun, move.new.begun) == (1, 1)


def test_it_is_no_session_and_moves_without_a_descriptor(move: Move) -> None:
    (entry,) = transfer.movable(move.old.udp)
    assert entry.movable
    parcel = entry.hand_over()
    assert (parcel.sockets, parcel.descriptors) == ([], 0)
    move.new.adopt(parcel)
    assert (move.old.sessions, move.new.sessions) == (0, 0)


def test_it_is_forgotten_when_it_would_have_been(move: Move) -> None:
    move.old.after(6)
    move.move()
    move.new.after(3.9)
    assert len(move.new.receiver.flows) == 1
    move.new.after(0.1 + move.new.udp.grain)
    assert (len(move.new.receiver.flows), len(move.new.udp.waiting)) == (0, 0)


def test_one_that_was_forgotten_before_its_turn_came_does_not_move(move: Move) -> None:
    (entry,) = transfer.movable(move.old.udp)
    move.old.after(10 + move.old.udp.grain)
    assert not entry.movable


def test_one_in_whose_place_there_is_a_flow_by_now_does_not_move(move: Move) -> None:
    (entry,) = transfer.movable(move.old.udp)
    move.old.send(b"found")
    assert not entry.movable


def test_a_client_that_has_a_flow_there_by_now_keeps_it(move: Move) -> None:
    (entry,) = transfer.movable(move.old.udp)
    parcel = entry.hand_over()
    move.begin()
    move.old.send(b"sent while it was on its way")
    flow = move.new.receiver.flows.get(entry.client.key)
    assert flow is not None
    move.new.adopt(parcel)
    assert move.new.receiver.flows.get(entry.client.key) is flow
    assert len(move.new.udp.waiting) == 1, "what has no place waits for nothing"


def test_one_that_has_come_ends_with_its_worker(move: Move) -> None:
    move.move()
    move.new.udp.stop()
    assert (len(move.new.receiver.flows), len(move.new.udp.waiting)) == (0, 0)
