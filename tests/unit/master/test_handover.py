"""The master's part of a handover: who is linked to whom, when UDP clients are steered, and when it is over.

The workers are the ends of their channels, played by the test.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NoReturn, cast

import pytest

from l4d.child import channel
from l4d.loop import loop as loop_module
from l4d.master.generation import Child, Generation, Slot
from l4d.master.handover import PATIENCE, Handover, Successors
from l4d.master.prepare import Prepared
from l4d.master.timers import Timers
from tests.kit.processes import own_descriptors
from tests.unit.making import Clock, NeverWaiting


class Workers:
    """A generation, and what its workers have been told."""

    def __init__(self, stack: ExitStack, slots: int) -> None:
        self.generation = Generation(1, cast(Prepared, None), frozenset(), [Slot(number) for number in range(slots)])
        self._stack = stack
        self._channels: dict[int, socket.socket] = {}
        self.links: dict[tuple[int, bytes], list[socket.socket]] = {}
        """By slot and word: the links that came, in order."""
        for slot in range(slots):
            self.give_birth(slot)

    def give_birth(self, slot: int) -> Child:
        ours, theirs = channel.pair()
        self._stack.enter_context(ours)
        self._channels[slot] = self._stack.enter_context(theirs)
        child = Child(100 + slot, -1, ours, self.generation, slot, slot + 1, born=0.0)
        self.generation.slots[slot].child = child
        return child

    def __getitem__(self, slot: int) -> Child:
        child = self.generation.slots[slot].child
        assert child is not None
        return child

    def heard(self, slot: int) -> list[bytes]:
        """What this one was told since the last time."""
        words = []
        while (heard := channel.hear(self._channels[slot])) is not None:
            word, descriptors = heard
            words.append(word)
            for fd in descriptors:
                link = self._stack.enter_context(channel.link(fd))
                self.links.setdefault((slot, word), []).append(link)
        return words

    @property
    def all(self) -> list[list[bytes]]:
        return [self.heard(slot) for slot in range(len(self.generation.slots))]


class Master:
    """A handover from so many workers to so many."""

    def __init__(self, stack: ExitStack, clock: Clock, old: int, new: int) -> None:
        self.clock = clock
        self.loop = NeverWaiting()
        stack.callback(self.loop.shut)
        self.told: list[str] = []
        self.lacks: list[OSError] = []
        self.handover = Handover(Timers(self.loop), lambda: self.told.append("over"), self.lacks.append)
        self.old, self.new = Workers(stack, old), Workers(stack, new)

    def begin(self) -> None:
        elders = self.old.generation.children
        self.handover.begin(elders, Successors(self.new.generation), lambda: self.told.append("steered"))

    def after(self, seconds: float) -> list[str]:
        """What is told so much later, and was before."""
        self.clock.now += seconds
        self.loop.turn()
        return self.told


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    return clock


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def are_linked(one: socket.socket, other: socket.socket) -> bool:
    one.send(b"hello")
    return other.recv(10, socket.MSG_DONTWAIT) == b"hello"


# Links


def test_with_as_many_slots_each_worker_is_linked_to_the_one_of_its_slot(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 3, 3)
    master.begin()
    assert master.old.all == [[channel.hand_over(slot, 3)] for slot in range(3)]
    assert master.new.all == [[channel.TAKE_OVER]] * 3
    for slot in range(3):
        [giver] = master.old.links[slot, channel.hand_over(slot, 3)]
        [taker] = master.new.links[slot, channel.TAKE_OVER]
        assert are_linked(giver, taker)


@pytest.mark.parametrize(("old", "new"), [(2, 3), (3, 1), (1, 4)])
def test_with_other_slots_each_worker_is_linked_to_all(stack: ExitStack, clock: Clock, old: int, new: int) -> None:
    master = Master(stack, clock, old, new)
    master.begin()
    assert master.old.all == [[channel.hand_over(slot, new) for slot in range(new)]] * old
    assert master.new.all == [[channel.TAKE_OVER] * old] * new
    for elder in range(old):
        for heir in range(new):
            [giver] = master.old.links[elder, channel.hand_over(heir, new)]
            assert are_linked(giver, master.new.links[heir, channel.TAKE_OVER][elder])


def test_workers_that_could_not_be_given_a_link_leave_without(
    stack: ExitStack, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lack = OSError("none is left")

    def link_pair() -> NoReturn:
        raise lack

    monkeypatch.setattr(channel, "link_pair", link_pair)
    master = Master(stack, clock, 2, 2)
    master.begin()
    assert master.old.all == master.new.all == [[], []]
    assert master.lacks == [lack, lack]


def test_the_master_keeps_no_end_of_a_link(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    before = own_descriptors()
    master.begin()
    for workers in (master.old, master.new):
        assert workers.all
    links = sum(len(links) for workers in (master.old, master.new) for links in workers.links.values())
    assert own_descriptors() == before + links == before + 12


def test_a_link_to_one_that_has_just_died_ends_at_once(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 1, 1)
    master.new.generation.slots[0].child = None
    master.begin()
    assert master.old.heard(0) == [channel.hand_over(0, 1)]
    [giver] = master.old.links[0, channel.hand_over(0, 1)]
    assert giver.recv(10) == b""


def test_a_worker_that_is_replaced_is_linked_to_those_that_hand_over(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    assert master.old.all
    master.new.give_birth(1)
    master.handover.relink(1)
    assert master.old.all == [[channel.hand_over(1, 3)]] * 2
    assert master.new.heard(1) == [channel.TAKE_OVER] * 2
    for elder in range(2):
        giver = master.old.links[elder, channel.hand_over(1, 3)][-1]
        assert are_linked(giver, master.new.links[1, channel.TAKE_OVER][elder])


def test_with_as_many_slots_only_the_one_of_its_slot_is_told_of_a_replacement(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 3, 3)
    master.begin()
    assert master.old.all
    master.new.give_birth(2)
    master.handover.relink(2)
    assert master.old.all == [[], [], [channel.hand_over(2, 3)]]


def test_those_that_are_gone_get_no_link_any_more(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 1, 1)
    master.begin()
    master.handover.left(master.old[0])
    assert master.old.heard(0)
    master.handover.relink(0)
    assert master.old.heard(0) == []


def test_without_a_handover_there_is_nothing_to_link(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 1, 1)
    master.handover.relink(0)
    master.handover.moved(master.old[0])
    assert master.old.all == [[]]
    assert not master.handover.under_way


# Steering


def test_with_other_slots_clients_are_steered_when_all_flows_have_moved(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    assert master.old.all
    master.handover.moved(master.old[0])
    assert master.told == []
    assert master.old.all == [[], []]
    master.handover.moved(master.old[1])
    assert master.told == ["steered"]
    assert master.old.all == [[channel.STEERED]] * 2


def test_with_as_many_slots_each_lets_its_sockets_go_by_itself(stack: ExitStack, clock: Clock) -> None:
    """Its clients come to the same socket as before, which its heir has."""
    master = Master(stack, clock, 2, 2)
    master.begin()
    assert master.old.all
    master.handover.moved(master.old[1])
    assert master.old.all == [[], [channel.STEERED]]
    assert master.told == []
    master.handover.moved(master.old[0])
    assert master.old.all == [[channel.STEERED], []]
    assert master.told == ["steered"]


def test_with_as_many_slots_one_that_is_gone_is_not_waited_for(stack: ExitStack, clock: Clock) -> None:
    """What is queued at its socket is its heir's to read."""
    master = Master(stack, clock, 2, 2)
    master.begin()
    master.handover.moved(master.old[0])
    assert not master.handover.left(master.old[1])
    assert master.told == ["steered"]


def test_with_other_slots_one_that_is_gone_is_replaced_and_that_one_is_waited_for(
    stack: ExitStack, clock: Clock
) -> None:
    """What is queued at its socket is for all heirs, and nobody else would read it."""
    master = Master(stack, clock, 2, 3)
    master.begin()
    assert all((*master.old.all, *master.new.all))
    master.handover.moved(master.old[0])
    assert master.handover.left(master.old[1])
    assert master.told == []
    child = master.old.give_birth(1)
    master.handover.join(child)
    assert master.old.heard(1) == [*(channel.hand_over(slot, 3) for slot in range(3)), channel.BEGIN, channel.DRAIN]
    assert master.new.all == [[channel.TAKE_OVER]] * 3
    assert master.told == []
    master.handover.moved(child)
    assert master.told == ["steered"]
    assert master.old.all == [[channel.STEERED]] * 2


def test_no_other_handover_begins_before_the_one_in_the_place_of_one_that_is_gone_is_there(
    stack: ExitStack, clock: Clock
) -> None:
    master = Master(stack, clock, 1, 3)
    master.begin()
    assert master.handover.left(master.old[0])
    assert master.handover.under_way
    child = master.old.give_birth(0)
    master.handover.join(child)
    master.handover.quiet(child)
    assert not master.handover.under_way


def test_one_that_was_not_ready_when_it_was_told_all_is_told_nothing_twice(stack: ExitStack, clock: Clock) -> None:
    """It was born in the place of another one, just before its generation was to leave."""
    master = Master(stack, clock, 2, 3)
    master.begin()
    assert all((*master.old.all, *master.new.all))
    master.handover.join(master.old[0])
    assert (master.old.all, master.new.all) == ([[], []], [[], [], []])
    for slot in range(2):
        master.handover.quiet(master.old[slot])
        assert not master.handover.left(master.old[slot])
    assert not master.handover.goes_on


def test_one_that_is_gone_before_it_has_read_its_sockets_empty_is_replaced_though_clients_are_steered(
    stack: ExitStack, clock: Clock
) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    for slot in range(2):
        master.handover.moved(master.old[slot])
    assert master.handover.left(master.old[0])
    master.handover.quiet(master.old[1])
    assert master.told == ["steered"]
    next_one = master.old.give_birth(0)
    master.handover.join(next_one)
    master.handover.moved(next_one)
    assert master.old.heard(0)[-1] == channel.STEERED
    master.handover.quiet(next_one)
    assert master.told == ["steered", "over"]


def test_one_that_is_gone_with_its_sockets_read_empty_needs_no_replacement(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    for slot in range(2):
        master.handover.moved(master.old[slot])
    master.handover.quiet(master.old[0])
    assert not master.handover.left(master.old[0])
    master.handover.quiet(master.old[1])
    assert master.told == ["steered", "over"]


def test_a_replacement_that_does_not_come_is_not_waited_for_for_ever(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    master.handover.moved(master.old[0])
    master.handover.left(master.old[1])
    assert master.after(PATIENCE + 0.1) == ["steered", "over"]


def test_a_replacement_gets_no_time_of_its_own(stack: ExitStack, clock: Clock) -> None:
    """All together are waited for so long, from the beginning on."""
    master = Master(stack, clock, 2, 3)
    master.begin()
    master.handover.moved(master.old[0])
    assert master.after(PATIENCE - 1) == []
    master.handover.left(master.old[1])
    master.handover.join(master.old.give_birth(1))
    assert master.after(0.9) == []
    assert master.after(0.2) == ["steered", "over"]
    assert master.old.heard(1)[-1] == channel.STEERED


def test_one_that_was_no_elder_needs_no_replacement(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    assert not master.handover.left(master.new[0])


def test_when_everything_ends_nobody_is_replaced_and_nothing_is_steered(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    children = [master.old[slot] for slot in range(2)]
    master.handover.stop()
    assert not master.handover.under_way
    assert [master.handover.left(child) for child in children] == [False, False]
    assert "steered" not in master.after(PATIENCE + 0.1)


def test_one_that_is_quiet_without_having_moved_anything_is_not_waited_for(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    master.handover.moved(master.old[0])
    master.handover.quiet(master.old[1])
    assert master.told == ["steered"]


def test_one_that_stands_still_is_not_waited_for_for_ever(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    master.handover.moved(master.old[0])
    assert master.after(PATIENCE - 0.1) == []
    assert master.old.heard(0)[-1] != channel.STEERED
    assert master.after(0.2) == ["steered", "over"]
    assert [words[-1] for words in master.old.all] == [channel.STEERED] * 2


def test_clients_are_steered_and_each_is_told_so_once(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 3)
    master.begin()
    for slot in (0, 1, 0):
        master.handover.moved(master.old[slot])
    for slot in range(2):
        master.handover.quiet(master.old[slot])
    master.after(PATIENCE + 0.1)
    assert master.told.count("steered") == 1
    assert [words.count(channel.STEERED) for words in master.old.all] == [1, 1]


def test_where_nobody_is_there_before_clients_are_steered_at_once_and_nothing_is_waited_for(
    stack: ExitStack, clock: Clock
) -> None:
    master = Master(stack, clock, 0, 2)
    master.begin()
    assert master.told == ["steered"]
    assert not master.handover.under_way
    assert master.after(PATIENCE + 1) == ["steered"]


# When it is over


def test_it_is_under_way_until_every_worker_is_quiet(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 2)
    states = [master.handover.under_way]
    master.begin()
    states.append(master.handover.under_way)
    for slot in range(2):
        master.handover.moved(master.old[slot])
        master.handover.quiet(master.old[slot])
        states.append(master.handover.under_way)
    assert states == [False, True, True, False]
    assert master.told == ["steered", "over"]


def test_those_that_are_gone_are_quiet(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 2)
    master.begin()
    children = [master.old[slot] for slot in range(2)]
    for child in children:
        master.handover.left(child)
    assert master.told == ["steered", "over"]
    assert not master.handover.under_way


def test_after_a_while_the_next_one_need_not_wait_and_that_is_told_once(stack: ExitStack, clock: Clock) -> None:
    master = Master(stack, clock, 2, 2)
    master.begin()
    states = [(list(master.after(seconds)), master.handover.under_way) for seconds in (PATIENCE - 0.1, 0.2)]
    assert states == [([], True), (["steered", "over"], False)]
    for slot in range(2):
        master.handover.quiet(master.old[slot])
    assert master.told == ["steered", "over"]


def test_the_next_one_takes_along_those_of_the_last_that_live_on(stack: ExitStack, clock: Clock) -> None:
    """Their timers are theirs no more."""
    master = Master(stack, clock, 1, 1)
    master.begin()
    first = master.old[0]
    master.handover.moved(first)
    master.handover.quiet(first)
    assert master.told == ["steered", "over"]
    master.told.clear()
    assert master.after(1) == []
    third = Workers(stack, 3)
    elders = [master.new[0], first]
    master.handover.begin(elders, Successors(third.generation), lambda: master.told.append("steered again"))
    assert [len(words) for words in third.all] == [2, 2, 2]
    assert master.old.heard(0)[-3:] == [channel.hand_over(slot, 3) for slot in range(3)]
    assert master.after(PATIENCE - 0.5) == [], "the first handover's time is not this one's"
    master.handover.moved(master.new[0])
    assert master.told == ["steered again"]
    master.handover.quiet(master.new[0])
    assert master.told == ["steered again", "over"]


def test_a_word_for_a_slot_reaches_its_worker_with_what_comes_along(stack: ExitStack, clock: Clock) -> None:
    workers = Workers(stack, 2)
    heirs = Successors(workers.generation)
    assert heirs.slots == 2
    one, other = channel.link_pair()
    with one, other:
        heirs.tell(1, channel.TAKE_OVER, one.fileno())
        assert workers.all == [[], [channel.TAKE_OVER]]
        [came] = workers.links[1, channel.TAKE_OVER]
        assert are_linked(other, came)
