"""A seat: the address a name stands for, written by control and read by workers at any moment."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from l4d.address import Inet
from l4d.stats.seat import Occupant, Seat
from tests.unit.making import Row

V4, V6 = Inet("10.0.0.1", 80), Inet("2001:db8::ffff:1", 65535)
OTHER = Inet("192.0.2.200", 8080)


@pytest.fixture
def row() -> Row:
    return Row()


@pytest.fixture
def seat(row: Row) -> Seat:
    return row.seat()


def test_nobody_sits_in_a_new_seat(seat: Seat) -> None:
    assert seat.read() is None


@pytest.mark.parametrize("address", [V4, V6, Inet("255.255.255.255", 1), Inet("::", 0), Inet("ff02::1:ffff:ffff", 7)])
@pytest.mark.parametrize("weight", [1, 65535])
@pytest.mark.parametrize("backup", [True, False])
def test_whoever_sits_down_is_read_by_others(row: Row, address: Inet, weight: int, backup: bool) -> None:
    row.seat().sit(address, weight, backup=backup)
    assert row.seat().read() == Occupant(1, address, weight, backup, leaving=False)


def test_seats_are_beside_each_other(row: Row) -> None:
    row.seat(1).sit(V4, 1, backup=False)
    row.seat(2).sit(V6, 2, backup=True)
    found = [row.seat(number).read() for number in (1, 2, 3)]
    assert [occupant and occupant.address for occupant in found] == [V4, V6, None]


def test_an_occupant_may_get_another_weight_and_become_a_backup(seat: Seat) -> None:
    seat.sit(V4, 1, backup=False)
    seat.sit(V4, 9, backup=True)
    assert seat.read() == Occupant(1, V4, 9, backup=True, leaving=False)


def test_one_who_leaves_may_come_back_as_the_same(seat: Seat) -> None:
    seat.sit(V6, 1, backup=True)
    seat.leave()
    assert seat.read() == Occupant(1, V6, 1, backup=True, leaving=True)
    seat.sit(V6, 1, backup=True)
    assert seat.read() == Occupant(1, V6, 1, backup=True, leaving=False)


def test_a_vacated_seat_has_nobody_and_the_next_one_has_another_number(seat: Seat) -> None:
    seat.sit(V4, 1, backup=False)
    seat.vacate()
    assert seat.read() is None
    seat.sit(V4, 1, backup=False)
    assert seat.read() == Occupant(2, V4, 1, backup=False, leaving=False)


@pytest.mark.parametrize("other", [OTHER, V6, V4.with_port(81)])
def test_another_address_in_the_seat_has_another_number(seat: Seat, other: Inet) -> None:
    seat.sit(V4, 1, backup=False)
    seat.sit(other, 1, backup=False)
    assert seat.read() == Occupant(2, other, 1, backup=False, leaving=False)


def test_the_word_is_another_one_whenever_something_else_would_be_read(seat: Seat) -> None:
    words = [seat.word]
    changes: list[Callable[[], None]] = [
        lambda: seat.sit(V4, 1, backup=False),
        lambda: seat.sit(V4, 2, backup=False),
        lambda: seat.sit(V4, 2, backup=True),
        seat.leave,
        seat.vacate,
        lambda: seat.sit(V4, 2, backup=True),
        lambda: seat.sit(OTHER, 2, backup=True),
        lambda: seat.sit(V6, 2, backup=True),
    ]
    for change in changes:
        change()
        words.append(seat.word)
    assert len(set(words)) == len(words)


class Stepwise:
    """A row whose writer or reader is stopped before each of its steps, while the other one does all of its own."""

    def __init__(self, row: memoryview) -> None:
        self.row = row
        self.before: Any = lambda: None

    def __getitem__(self, column: int) -> int:
        self.before()
        return self.row[column]

    def __setitem__(self, column: int, value: int) -> None:
        self.before()
        self.row[column] = value


def stepwise(row: Row) -> tuple[Seat, Stepwise]:
    seat, steps = row.seat(), Stepwise(row.said)
    seat._row = steps  # type: ignore[assignment]
    return seat, steps


CHANGES = [(V4, OTHER), (V4, V6), (V6, V4), (V6, Inet("2001:db8:1::", 80))]


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_reader_between_two_steps_of_the_writer_sees_the_old_address_the_new_one_or_nobody(
    row: Row, before: Inet, after: Inet
) -> None:
    writer, steps = stepwise(row)
    row.seat().sit(before, 1, backup=False)
    seen: list[Inet | None] = []

    def look() -> None:
        found = row.seat().read()
        seen.append(found.address if found is not None else None)

    steps.before = look
    writer.sit(after, 1, backup=False)
    look()
    assert set(seen) == {before, None, after}
    assert seen == sorted(seen, key=[before, None, after].index)


@pytest.mark.parametrize(("before", "after"), CHANGES)
@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("writes", range(1, 6))
def test_a_reader_between_whose_steps_the_writer_works_sees_no_address_that_never_was(
    row: Row, before: Inet, after: Inet, step: int, writes: int
) -> None:
    """Before the reader's *step* the writer makes so many of its own, and the rest when the reader is done."""
    row.seat().sit(before, 1, backup=False)
    reader, steps = stepwise(row)
    writing = written(row, after)
    left = [step]

    def work() -> None:
        left[0] -= 1
        if left[0] == -1:
            for _ in range(writes):
                next(writing, None)

    steps.before = work
    found = reader.read()
    assert found is None or found.address in {before, after}
    steps.before = lambda: None
    for _ in writing:
        pass
    last = reader.read()
    assert last is not None
    assert last.address == after


def written(row: Row, after: Inet) -> Iterator[None]:
    """Writes *after* into the seat, one word for each step of the iterator."""
    writer = row.seat()
    words: list[tuple[int, int]] = []
    shadow = Shadow(row.said, words)
    writer._row = shadow  # type: ignore[assignment]
    writer.sit(after, 1, backup=False)
    for column, value in words:
        row.said[column] = value
        yield


class Shadow:
    """Notes what is written, and shows it to the writer alone."""

    def __init__(self, row: memoryview, words: list[tuple[int, int]]) -> None:
        self.row = row
        self.words = words

    def __getitem__(self, column: int) -> int:
        return next((value for written, value in reversed(self.words) if written == column), self.row[column])

    def __setitem__(self, column: int, value: int) -> None:
        self.words.append((column, value))
