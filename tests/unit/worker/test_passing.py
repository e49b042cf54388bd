"""UDP clients between two generations: who gets a datagram, and when the sockets are let go."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from l4d.linux.datagram import queued_at_most
from l4d.linux.steering import slot_of
from l4d.loop import loop as loop_module
from l4d.worker import passing as passing_module
from l4d.worker.outgoing import Outgoing
from l4d.worker.passing import PIECE, Passing
from tests.kit.wait import is_readable, wait_until
from tests.unit.making import Clock
from tests.unit.udp.test_flow import House, everything


class Heir:
    """A link, as the passing knows it."""

    def __init__(self) -> None:
        self.clogged = False
        self.heard: list[bytes] = []
        self.switched = 0
        self.full_at = 1 << 30

    def say(self, head: dict[str, Any], body: bytes = b"") -> None:
        if "switched" in head:
            self.switched += 1
        else:
            self.heard.append(body)
            self.clogged = len(self.heard) >= self.full_at


class Elder(House):
    """A worker that leaves, with links to so many heirs."""

    def __init__(self, stack: ExitStack, heirs: int = 1, slot: int = 0, slots: int = 1) -> None:
        super().__init__(stack, Clock(time.monotonic()))
        self.heirs = {number: Heir() for number in range(heirs)}
        self.passing = Passing(self.loop, [self.receiver], cast("dict[int, Outgoing]", self.heirs), slot, slots)
        self.told = 0

    def switched(self) -> None:
        self.told += 1

    def queue(self, *datagrams: bytes) -> None:
        """The client's, of whom nobody is told yet."""
        for data in datagrams:
            self.client.sendto(data, self.address)

    def turn_until_switched(self) -> None:
        def turned() -> bool:
            self.loop.turn()
            return self.has_switched()

        wait_until("the sockets are let go", turned)

    def has_switched(self) -> bool:
        return self.passing.switched

    @property
    def heard(self) -> list[bytes]:
        """By all heirs."""
        return [data for heir in self.heirs.values() for data in heir.heard]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    monkeypatch.setattr(loop_module, "time", Clock(time.monotonic()))
    with ExitStack() as stack:
        yield stack


def test_before_it_begins_clients_are_served_here(stack: ExitStack) -> None:
    elder = Elder(stack)
    elder.send(b"question")
    assert everything(elder.one) == [b"question"]
    assert elder.heard == []


def test_who_has_no_flow_here_is_passed_on_and_who_has_is_served(stack: ExitStack) -> None:
    elder = Elder(stack)
    elder.send(b"first")
    elder.passing.begin(1)
    elder.send(b"second")
    assert (everything(elder.one), elder.heard) == ([b"first", b"second"], [])
    (entry,) = elder.udp.waiting
    for sock in entry.hand_over().sockets:
        sock.close()
    elder.send(b"third", b"fourth")
    assert (everything(elder.one), elder.heard) == ([], [b"third", b"fourth"])


# Whose a client is


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_with_as_many_slots_as_before_all_clients_are_those_of_our_slot(stack: ExitStack, slot: int) -> None:
    """The kernel gives them to the same socket as before, which the successor has."""
    elder = Elder(stack, heirs=3, slot=slot, slots=3)
    elder.passing.begin(3)
    for number in range(20):
        client = elder.receiver.client_of((f"192.0.2.{number}", 1000 + number), [])
        assert elder.passing.slot_of(client) == slot


def test_with_other_slots_a_client_is_where_it_will_be_steered(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=5, slot=1, slots=3)
    elder.passing.begin(5)
    clients = [elder.receiver.client_of((f"192.0.2.{number}", 1000 + number), []) for number in range(50)]
    slots = [elder.passing.slot_of(client) for client in clients]
    assert slots == [slot_of(client.sockaddr, 5) for client in clients]
    assert set(slots) == set(range(5))


def test_a_datagram_goes_to_the_heir_whose_the_client_is(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=4)
    elder.passing.begin(4)
    elder.send(b"question")
    assert elder.heirs[slot_of(elder.client.getsockname(), 4)].heard == [b"question"] == elder.heard


# Pauses


def test_while_a_link_is_full_nothing_more_is_read_and_nothing_is_lost(stack: ExitStack) -> None:
    elder = Elder(stack)
    heir = elder.heirs[0]
    heir.full_at = 1
    elder.passing.begin(1)
    for number in range(5):
        elder.send(b"%d" % number)
    assert elder.heard == [b"0"]
    heir.full_at = 1 << 30
    heir.clogged = False
    elder.passing.regulate()
    elder.turn()
    assert elder.heard == [b"0", b"1", b"2", b"3", b"4"]
    assert elder.dropped("stopping") == 0


def test_while_the_heirs_process_is_replaced_nothing_is_read(stack: ExitStack) -> None:
    elder = Elder(stack)
    elder.passing.begin(1)
    del elder.heirs[0]
    elder.passing.regulate()
    elder.send(b"question")
    assert elder.dropped("stopping") == 0
    heir = elder.heirs[0] = Heir()
    elder.passing.regulate()
    elder.turn()
    assert heir.heard == [b"question"]


def test_with_as_many_slots_as_before_only_our_own_heir_is_waited_for(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=2, slot=1, slots=2)
    elder.passing.begin(2)
    elder.heirs[0].clogged = True
    elder.passing.regulate()
    elder.send(b"question")
    assert elder.heirs[1].heard == [b"question"]


def test_with_other_slots_any_full_link_is_waited_for(stack: ExitStack) -> None:
    """Whose the next datagram is shows only when it was read."""
    elder = Elder(stack, heirs=3)
    elder.passing.begin(3)
    elder.heirs[2].clogged = True
    elder.passing.regulate()
    elder.send(b"question")
    assert elder.heard == []


def test_what_was_read_when_its_heir_has_just_died_is_dropped_and_counted(stack: ExitStack) -> None:
    elder = Elder(stack)
    elder.passing.begin(1)
    del elder.heirs[0]
    client = elder.receiver.client_of(("192.0.2.1", 1), [])
    elder.receiver.take(client, memoryview(b"aabb"), 2)
    assert elder.dropped("stopping") == 2


# The end: clients are steered elsewhere


NUMBERS = [b"%d" % number for number in range(100)]


def test_when_clients_are_steered_what_is_queued_is_passed_on_and_then_the_word_is_said(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=2)
    elder.passing.begin(2)
    elder.queue(*NUMBERS)
    assert not elder.has_switched()
    elder.passing.steered(elder.switched)
    elder.turn_until_switched()
    assert elder.heard == NUMBERS
    assert elder.told == 1
    assert [heir.switched for heir in elder.heirs.values()] == [1, 1]


class ShortPieces(Clock):
    """Between any two looks at this clock more than half a piece's time passes: one read is a piece."""

    def monotonic(self) -> float:
        self.now += 0.6 * PIECE
        return self.now


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing_module, "time", ShortPieces())


@pytest.mark.usefixtures("short_pieces")
def test_a_long_queue_is_read_piece_by_piece_between_which_the_loop_turns(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=2)
    elder.passing.begin(2)
    elder.queue(*NUMBERS)
    elder.passing.steered(elder.switched)
    turns = 0
    while not elder.has_switched():
        assert elder.heard == NUMBERS[: len(elder.heard)]
        assert (elder.told, [heir.switched for heir in elder.heirs.values()]) == (0, [0, 0])
        elder.loop.turn()
        turns += 1
    assert turns > 5
    assert elder.heard == NUMBERS
    assert elder.told == 1


@pytest.mark.usefixtures("short_pieces")
def test_of_a_socket_that_never_runs_dry_only_so_much_is_read_as_was_queued(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=2)
    elder.passing.begin(2)
    elder.queue(*NUMBERS)
    most = queued_at_most(elder.sock)
    elder.passing.steered(elder.switched)
    turns = 0
    while not elder.has_switched():
        elder.queue(*[b"later"] * 200)  # and nobody is steered elsewhere
        elder.loop.turn()
        turns += 1
        assert turns <= most
    assert elder.told == 1
    assert elder.heard[:100] == NUMBERS
    assert is_readable(elder.sock), "it has never run dry"


def test_after_that_nothing_is_read(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=2)
    elder.passing.begin(2)
    elder.passing.steered(elder.switched)
    elder.turn_until_switched()
    elder.send(b"question")
    elder.passing.regulate()
    elder.turn()
    assert elder.heard == []
    assert elder.sock.recv(100) == b"question"


def test_a_link_that_is_full_before_the_sockets_are_empty_is_waited_for(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=2)
    heir = elder.heirs[slot_of(elder.client.getsockname(), 2)]
    heir.full_at = 3
    elder.passing.begin(2)
    elder.queue(*NUMBERS)
    elder.passing.steered(elder.switched)
    elder.turn()
    assert elder.heard == NUMBERS[:3]
    assert (elder.told, elder.has_switched()) == (0, False)
    heir.full_at, heir.clogged = 1 << 30, False
    elder.passing.regulate()
    elder.turn_until_switched()
    assert elder.heard == NUMBERS
    assert (elder.told, heir.switched) == (1, 1)


def test_one_that_is_replaced_then_is_waited_for_too_while_there_are_others(stack: ExitStack) -> None:
    elder = Elder(stack, heirs=2)
    elder.passing.begin(2)
    del elder.heirs[1]
    elder.passing.regulate()
    elder.passing.steered(elder.switched)
    elder.turn()
    assert (elder.told, elder.has_switched()) == (0, False)
    elder.heirs[1] = Heir()
    elder.passing.regulate()
    elder.turn_until_switched()
    assert elder.told == 1


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize("before", [True, False])
def test_when_no_heir_is_left_the_sockets_are_let_go_with_what_is_queued(
    stack: ExitStack, slots: int, before: bool
) -> None:
    elder = Elder(stack, heirs=slots)
    elder.passing.begin(slots)
    elder.heirs[0].clogged = True
    elder.passing.regulate()
    elder.send(b"question")
    if before:
        elder.heirs.clear()
        elder.passing.regulate()
        elder.turn()
        assert not elder.has_switched(), "a new heir may come"
        elder.passing.steered(elder.switched)
    else:
        elder.passing.steered(elder.switched)
        elder.turn()
        assert not elder.has_switched()
        elder.heirs.clear()
        elder.passing.regulate()
        elder.turn()
    assert (elder.told, elder.has_switched()) == (1, True)
    assert elder.sock.recv(100) == b"question"


# The end: clients stay with the same sockets


def test_what_is_queued_is_left_to_an_heir_that_has_the_same_socket(stack: ExitStack) -> None:
    elder = Elder(stack)
    elder.passing.begin(1)
    elder.queue(b"question")
    elder.passing.steered(elder.switched)
    assert (elder.told, elder.has_switched(), elder.heirs[0].switched) == (1, True, 1)
    elder.turn()
    assert elder.heard == []
    assert elder.sock.recv(100) == b"question"


def test_an_heir_whose_link_is_full_is_waited_for(stack: ExitStack) -> None:
    elder = Elder(stack)
    heir = elder.heirs[0]
    heir.full_at = 1
    elder.passing.begin(1)
    elder.send(b"question")
    elder.passing.steered(elder.switched)
    elder.turn()
    assert (elder.told, elder.has_switched(), heir.switched) == (0, False, 0)
    heir.clogged = False
    elder.passing.regulate()
    elder.turn_until_switched()
    assert (elder.told, heir.switched) == (1, 1)


def test_without_udp_there_is_nothing_to_let_go(stack: ExitStack) -> None:
    assert Passing(Elder(stack).loop, (), {}, 0, 1).switched
