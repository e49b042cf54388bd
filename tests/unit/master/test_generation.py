"""A generation, and how long a slot waits for its next worker."""

import socket
from typing import cast

import pytest

from l4d.master.generation import (
    EARLY,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Child,
    Generation,
    Slot,
    died_early,
    pause_before_replacing,
)
from l4d.master.prepare import Prepared


def test_the_first_worker_that_dies_early_is_replaced_at_once() -> None:
    assert pause_before_replacing(0) == 0
    assert pause_before_replacing(1) == 0


def test_the_pause_doubles_with_every_early_death() -> None:
    assert [pause_before_replacing(deaths) for deaths in (2, 3, 4, 5)] == [FIRST_PAUSE * 2**n for n in range(4)]


@pytest.mark.parametrize("deaths", [11, 18, 19, 1000, 1_000_000])
def test_the_pause_has_an_end(deaths: int) -> None:
    assert pause_before_replacing(deaths) == LONGEST_PAUSE


@pytest.mark.parametrize(
    ("ready", "age", "early"), [(True, EARLY - 0.1, True), (True, EARLY, False), (False, 99, True)]
)
def test_a_death_is_early_when_the_process_was_young_or_of_no_use_yet(ready: bool, age: float, early: bool) -> None:
    child = give_birth(generation(1), 0)
    child.ready = ready
    assert died_early(child, child.born + age) is early


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


def test_who_is_in_a_slot_is_found_and_nobody_in_a_slot_that_there_is_not() -> None:
    two = generation(2)
    child = give_birth(two, 1)
    assert [two.child_of(slot) for slot in (-1, 0, 1, 2)] == [None, None, child, None]


@pytest.mark.parametrize(("leaving", "serving"), [(False, False), (False, True), (True, True), (True, False)])
def test_one_that_leaves_and_never_served_is_abandoned(leaving: bool, serving: bool) -> None:
    one = generation(1)
    one.leaving, one.serving = leaving, serving
    assert one.abandoned is (leaving and not serving)
