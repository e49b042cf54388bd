"""The flow table."""

import pytest

from l4d.loop.deadlines import Deadlines
from l4d.udp.table import FlowTable


class Entry:
    """A flow, for the table: itself alone."""


def table_of(bound: int) -> tuple[FlowTable[str, Entry], Deadlines[Entry], list[Entry]]:
    """The table, the queue its entries wait in, and those who were silent too long."""
    due: list[Entry] = []
    idle: Deadlines[Entry] = Deadlines(10, due.append)
    return FlowTable(bound, idle), idle, due


def test_a_client_has_the_entry_it_was_given() -> None:
    flows, _, _ = table_of(2)
    entry = Entry()
    assert flows.get("client") is None
    flows.put("client", entry)
    assert flows.get("client") is entry
    assert flows.get("another") is None
    assert len(flows) == 1


def test_a_table_is_full_at_its_bound() -> None:
    flows, _, _ = table_of(2)
    fullness = []
    for client in "ab":
        flows.put(client, Entry())
        fullness.append(flows.full)
    assert fullness == [False, True]
    assert len(flows) == 2
    with pytest.raises(AssertionError):
        flows.put("c", Entry())


def test_in_a_full_table_a_client_may_still_get_another_entry() -> None:
    flows, _, _ = table_of(1)
    flows.put("a", Entry())
    second = Entry()
    flows.put("a", second)
    assert flows.get("a") is second
    assert len(flows) == 1


def test_one_that_is_removed_makes_room_and_waits_no_longer() -> None:
    flows, idle, due = table_of(1)
    entry = Entry()
    flows.put("a", entry)
    flows.hear(entry, 0)
    flows.remove("a", entry)
    assert flows.get("a") is None
    assert not flows.full
    idle.expire(100)
    assert not due


def test_one_that_was_replaced_leaves_its_successor_in_place() -> None:
    flows, _, _ = table_of(1)
    first, second = Entry(), Entry()
    flows.put("a", first)
    flows.put("a", second)
    flows.remove("a", first)
    assert flows.get("a") is second


def test_removing_twice_is_removing_once() -> None:
    flows, _, _ = table_of(1)
    entry = Entry()
    flows.put("a", entry)
    flows.remove("a", entry)
    flows.remove("a", entry)
    assert len(flows) == 0


def test_an_entry_is_idle_when_it_was_not_heard_of_for_long() -> None:
    flows, idle, due = table_of(2)
    silent, lively = Entry(), Entry()
    flows.put("a", silent)
    flows.put("b", lively)
    flows.hear(silent, 0)
    flows.hear(lively, 0)
    flows.hear(lively, 5)
    idle.expire(10)
    assert due == [silent]
