"""An access log of one process: lines wait to go together, up to a bound, and each that is lost is counted."""

from collections.abc import Sequence

import pytest

from l4d.log.access import MOST_WAITING, AccessLog
from l4d.log.outlets import Outlet, Taken

BATCH = 100


class Written:
    """An outlet that is a list; it takes *room* lines, and loses those that begin with "x"."""

    batch = BATCH
    fd = -1

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.room = 1_000_000
        self.calls = 0
        self.next = self

    def put(self, lines: Sequence[bytes]) -> Taken:
        self.calls += 1
        taken = list(lines[: self.room])
        self.room -= len(taken)
        kept = [line for line in taken if not line.startswith(b"x")]
        self.lines += kept
        return Taken(len(taken), len(taken) - len(kept))

    def go_on_in(self, fd: int) -> Outlet:
        self.next = Written()
        return self.next

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def outlet() -> Written:
    return Written()


@pytest.fixture
def lost() -> list[int]:
    return []


@pytest.fixture
def access(outlet: Written, lost: list[int]) -> AccessLog:
    return AccessLog(outlet, lost.append)


def test_the_first_line_that_waits_asks_to_be_flushed_before_long(access: AccessLog, outlet: Written) -> None:
    assert access.add("one\n")
    assert not access.add("two\n")
    assert outlet.calls == 0
    assert not access.flush()
    assert outlet.lines == [b"one\n", b"two\n"]
    assert access.add("three\n")


def test_what_is_worth_a_write_is_written_at_once(access: AccessLog, outlet: Written) -> None:
    access.add("a" * 50 + "\n")
    assert not access.add("b" * 50 + "\n")
    assert outlet.calls == 1
    assert len(outlet.lines) == 2


def test_where_every_line_is_worth_a_write_none_waits(outlet: Written, lost: list[int]) -> None:
    outlet.batch = 1
    access = AccessLog(outlet, lost.append)
    assert not access.add("one\n")
    assert outlet.lines == [b"one\n"]
    outlet.room = 0
    assert access.add("two\n"), "it waits, and is the first"
    assert not access.add("three\n"), "somebody looks after it already"
    outlet.room = 9
    access.add("four\n")
    assert outlet.lines == [b"one\n", b"two\n", b"three\n", b"four\n"]


def test_nothing_is_written_when_nothing_waits(access: AccessLog, outlet: Written) -> None:
    assert not access.flush()
    assert outlet.calls == 0


def test_what_is_not_taken_waits_in_order(access: AccessLog, outlet: Written, lost: list[int]) -> None:
    for number in range(5):
        access.add(f"{number}\n")
    outlet.room = 2
    assert access.flush()
    outlet.room = 0
    assert access.flush()
    outlet.room = 9
    assert not access.flush()
    assert outlet.lines == [b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"]
    assert not lost


def test_while_nothing_is_taken_it_is_not_tried_with_every_line(access: AccessLog, outlet: Written) -> None:
    outlet.room = 0
    for _ in range(1000):
        access.add("a" * 9 + "\n")
    assert outlet.calls == 1000 * 10 // BATCH


def test_lines_beyond_the_bound_are_dropped_and_counted(access: AccessLog, outlet: Written, lost: list[int]) -> None:
    outlet.room = 0
    line = "a" * 1023 + "\n"
    for _ in range(MOST_WAITING // 1024 + 7):
        access.add(line)
    assert sum(lost) == 7
    outlet.room = 1_000_000
    assert not access.flush()
    assert len(outlet.lines) == MOST_WAITING // 1024
    assert access.add("there is room again\n")


def test_a_line_that_was_not_written_whole_is_counted(access: AccessLog, outlet: Written, lost: list[int]) -> None:
    access.add("x cut\n")
    access.add("whole\n")
    access.flush()
    assert (outlet.lines, lost) == ([b"whole\n"], [1])


def test_what_waits_goes_to_the_file_of_before(access: AccessLog, outlet: Written) -> None:
    access.add("before\n")
    access.go_on_in(7)
    access.add("after\n")
    access.flush()
    assert (outlet.lines, outlet.next.lines) == ([b"before\n"], [b"after\n"])


def test_at_the_end_what_waits_is_lost(access: AccessLog, outlet: Written, lost: list[int]) -> None:
    access.give_up()
    assert not lost
    outlet.room = 0
    access.add("one\n")
    access.add("two\n")
    access.flush()
    access.give_up()
    assert lost == [2]
    assert not access.flush()


def test_a_line_is_written_as_utf8(access: AccessLog, outlet: Written) -> None:
    access.add("ü\n")
    access.flush()
    assert outlet.lines == ["ü\n".encode()]
