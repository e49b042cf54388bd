"""Who the processes are that have a row of the board."""

from collections.abc import Callable

import pytest

from l4d.stats import process
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.process import Presence, Process, present, processes, serving
from l4d.terms import WorkerState
from tests.unit.making import OwnBoard


@pytest.fixture
def columns() -> Columns:
    columns = Columns()
    process.reserve(columns)
    return columns


def test_a_worker_is_seen_as_it_says_it_is(columns: Columns) -> None:
    board = Board()
    number = board.take_row()
    presence = Presence(board.row(number), columns, 77, generation=3, slot=1, slots=2)
    presence.become(WorkerState.SERVING)
    presence.beat(1000.25)
    [seen] = processes(board, columns)
    assert (seen.row, seen.pid, seen.generation, seen.slot, seen.slots) == (number, 77, 3, 1, 2)
    assert (seen.state, seen.heartbeat) == (WorkerState.SERVING, 1000.25)


def test_control_has_no_slot(columns: Columns) -> None:
    board = Board()
    Presence(board.row(board.take_row()), columns, 78, generation=3)
    assert [seen.slot for seen in processes(board, columns)] == [-1]


def test_one_that_is_gone_is_not_seen(columns: Columns) -> None:
    board = Board()
    number = board.take_row()
    Presence(board.row(number), columns, 77, generation=3, slot=0, slots=1)
    board.retire_row(number, columns.counters(), columns.used)
    assert processes(board, columns) == []


class Crowded(OwnBoard):
    """Another process takes a row with each column that is read."""

    def read(self, column: int) -> list[int]:
        found = super().read(column)
        self.take_row()
        return found


def test_a_process_that_comes_while_it_is_looked_is_seen_the_next_time(columns: Columns) -> None:
    board = Crowded(rows=32, columns=64)
    Presence(board.row(board.take_row()), columns, 77, generation=3, slot=0, slots=1)
    assert [seen.pid for seen in processes(board, columns)] == [77]


class Folding(OwnBoard):
    """A process dies while it is looked at for the first time."""

    def __init__(self, columns: Columns) -> None:
        super().__init__(rows=8, columns=64)
        self.victim = self.take_row()
        self.dies: Callable[[], None] | None = lambda: self.retire_row(self.victim, [], columns.used)

    def read(self, column: int) -> list[int]:
        found = super().read(column)
        if self.dies is not None:
            dies, self.dies = self.dies, None
            dies()
        return found


def test_a_process_that_dies_while_it_is_looked_is_seen_whole_or_not_at_all(columns: Columns) -> None:
    board = Folding(columns)
    Presence(board.row(board.victim), columns, 77, generation=3, slot=0, slots=1)
    assert processes(board, columns) == []


def one(slot: int, generation: int, state: WorkerState = WorkerState.SERVING) -> Process:
    return Process(slot + 2, 100 + slot, generation, slot, 2, state, 1.0)


def test_those_serve_who_have_the_listening_sockets_and_are_of_the_newest_generation_of_them() -> None:
    elder, full, next_one = one(1, 3), one(0, 4, WorkerState.FULL), one(1, 5, WorkerState.STARTING)
    control = one(-1, 5)
    leaving = one(0, 3, WorkerState.LEAVING)
    assert serving([control, elder, full, next_one, leaving]) == [full]
    assert serving([elder, leaving]) == [elder]
    assert serving([control, next_one, leaving]) == []


def test_while_nobody_serves_those_are_present_who_did_last() -> None:
    leaving = [one(0, 3, WorkerState.LEAVING), one(1, 3, WorkerState.LEAVING)]
    next_ones = [one(0, 4, WorkerState.STARTING), one(1, 4, WorkerState.STARTING)]
    assert present([one(-1, 4), *leaving, *next_ones]) == leaving
    assert present([*leaving, one(0, 4), next_ones[1]]) == [one(0, 4)]
    assert present(next_ones) == []
