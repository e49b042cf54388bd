"""A generation, and how long a slot waits for its next worker."""

import socket
from typing import cast

import pytest

from l4d.master.generation import FIRST_PAUSE, LONGEST_PAUSE, Child, Generation, Slot, pause_before_replacing
from l4d.master.prepare import Prepared


def test_the_first_worker_that_dies_early_is_replaced_at_once() -> None:
    assert pause_before_replacing(0) == 0
    assert pause_before_replacing(1) == 0


def test_the_pause_doubles_with_every_early_death() -> None:
    assert [pause_before_replacing(deaths) for deaths in (2, 3, 4, 5)] == [FIRST_PAUSE * 2**n for n in range(4)]


@pytest.mark.parametrize("deaths", [11, 18, 19, 1000, 1_000_000])
def test_the_pause_has_an_end(deaths: int) -> None:
    assert pause_before_replacing(deaths) == LONGEST_PAUSE


def generation(slots: int) -> Generation:
    """One of which only the slots matter."""
    return Generation(1, cast(Prepared, None), frozenset(), [Slot(number) for number in range(slots)])


def give_birth(generation: Generation, slot: int) -> Child:
    child = Child(100 + slot, -1, cast(socket.socket, None), generation, slot, slot + 1, born=0.0)
    generation.slots[slot].child = child
    return child


def test_a_generation_is_ready_when_the_workers_of_all_slots_are() -> None:
    two = generation(2)
    told = [two.ready]
    for slot in range(2):
        child = give_birth(two, slot)
        told.append(two.ready)
        child.ready = True
        told.append(two.ready)
    two.slots[1].child = None
    told.append(two.ready)
    assert told == [False, False, False, False, True, False]


def test_a_generation_is_quiet_when_all_its_workers_that_live_are() -> None:
    two = generation(2)
    told = [two.quiet]
    for slot in range(2):
        child = give_birth(two, slot)
        told.append(two.quiet)
        child.quiet = True
        told.append(two.quiet)
    assert told == [True, False, True, False, True]


def test_the_children_of_a_generation_are_those_that_live() -> None:
    two = generation(2)
    assert two.children == []
    second = give_birth(two, 1)
    assert two.children == [second]
