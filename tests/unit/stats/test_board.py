"""The board: one writer a row, readers sum."""

import os
import select

import pytest

from l4d.stats.board import FIRST_COLUMN, FOLDS, RETIRED, BoardFullError
from l4d.stats.board import Board as PlainBoard
from tests.unit.making import OwnBoard as Board
from tests.unit.making import is_told

ONE, OTHER = FIRST_COLUMN, FIRST_COLUMN + 1


def test_a_new_board_is_all_zero() -> None:
    board = Board(rows=4, columns=8)
    assert board.read(ONE) == [0]
    assert board.total(ONE) == 0
    assert board.bell == 0


def test_readers_sum_what_the_rows_count() -> None:
    board = Board(rows=4, columns=8)
    rows = [board.row(board.take_row()) for _ in range(3)]
    for row, number in zip(rows, (1, 20, 300), strict=True):
        row[ONE] += number
    assert board.read(ONE) == [0, 1, 20, 300]
    assert board.total(ONE) == 321
    assert board.total(OTHER) == 0


def test_a_row_ends_where_the_next_begins() -> None:
    board = Board(rows=3, columns=8)
    first, second = board.row(board.take_row()), board.row(board.take_row())
    assert len(first) == len(second) == 8
    first[7] = 5
    assert list(second) == [0] * 8


def test_a_number_has_64_bits() -> None:
    board = Board(rows=2, columns=8)
    row = board.row(board.take_row())
    row[ONE] = (1 << 64) - 1
    assert board.total(ONE) == (1 << 64) - 1


def test_the_row_that_is_free_longest_in_front_is_taken_first() -> None:
    board = Board(rows=4, columns=8)
    assert [board.take_row() for _ in range(3)] == [1, 2, 3]
    board.retire_row(2, [], 8)
    assert board.take_row() == 2


def test_a_board_without_a_free_row_says_so() -> None:
    board = Board(rows=3, columns=8)
    board.take_row()
    board.take_row()
    with pytest.raises(BoardFullError, match="2 processes are alive"):
        board.take_row()


def test_what_a_dead_process_has_counted_stays() -> None:
    board = Board(rows=3, columns=8)
    number = board.take_row()
    board.row(number)[ONE] = 7
    board.retire_row(number, [ONE], 8)
    assert board.total(ONE) == 7
    assert board.read(ONE) == [7]
    second = board.take_row()
    board.row(second)[ONE] = 2
    board.retire_row(second, [ONE], 8)
    assert board.row(RETIRED)[ONE] == 9


def test_what_is_no_counter_goes_with_the_process() -> None:
    board = Board(rows=3, columns=8)
    number = board.take_row()
    board.row(number)[OTHER] = 7
    board.retire_row(number, [ONE], 8)
    assert board.total(OTHER) == 0


def test_the_next_in_the_row_begins_with_zeros() -> None:
    board = Board(rows=3, columns=8)
    number = board.take_row()
    for column in range(8):
        board.row(number)[column] = 9
    board.retire_row(number, [ONE], 8)
    assert board.take_row() == number
    assert list(board.row(number)) == [0] * 8


def test_columns_that_were_never_given_out_are_not_touched() -> None:
    board = Board(rows=3, columns=8)
    number = board.take_row()
    board.row(number)[6] = 9
    board.retire_row(number, [ONE], 6)
    assert board.row(number)[6] == 9


def test_only_rows_in_use_are_read() -> None:
    board = Board(rows=9, columns=8)
    numbers = [board.take_row() for _ in range(5)]
    assert len(board.read(ONE)) == 6
    board.retire_row(numbers[1], [], 8)
    assert len(board.read(ONE)) == 6
    board.retire_row(numbers[4], [], 8)
    assert len(board.read(ONE)) == 5


def test_the_bell_has_another_number_after_every_ring() -> None:
    board = Board(rows=2, columns=8)
    heard = [board.bell]
    for _ in range(100):
        board.ring()
        heard.append(board.bell)
    assert len(set(heard)) == 101


def test_whoever_sleeps_is_woken_by_the_bell() -> None:
    board = Board(rows=2, columns=8)
    with select.epoll() as sleeper:
        sleeper.register(board.bell_fd, select.EPOLLIN | select.EPOLLET)
        assert sleeper.poll(0) == []
        for _ in range(3):
            board.ring()
            board.ring()
            assert sleeper.poll(0) == [(board.bell_fd, select.EPOLLIN)]
            assert sleeper.poll(0) == []  # nobody has read it, and it is told once


def test_a_gap_and_a_knock_are_told_apart() -> None:
    board = Board(rows=2, columns=8)
    told = []
    for tell in (board.tell_gap, board.knock, board.ring):
        tell()
        told.append([is_told(fd) for fd in board.descriptors])
    assert told == [[False, True, False], [False, True, True], [True, True, True]]


def test_the_sessions_of_a_dead_process_leave_a_gap() -> None:
    board = Board(rows=2, columns=8)
    number = board.take_row()
    assert not is_told(board.gap_fd)
    board.retire_row(number, [], 8)
    assert is_told(board.gap_fd)


def test_a_board_is_heard_by_all_who_inherit_it_and_by_no_other_program() -> None:
    board = Board(rows=2, columns=8)
    assert len(set(board.descriptors)) == 3
    assert not any(os.get_inheritable(fd) or os.get_blocking(fd) for fd in board.descriptors)


class CaughtInAFold(Board):
    """Two reads happen in the middle of a fold, a third while a whole one passes; the fourth is in peace."""

    def __init__(self) -> None:
        super().__init__(rows=3, columns=8)
        self.reads = 0

    def read(self, column: int) -> list[int]:
        self.reads += 1
        folds = self.row(RETIRED)
        if self.reads == 1:
            folds[FOLDS] = 1
        elif self.reads == 2:
            folds[FOLDS] = 2
        elif self.reads == 3:
            folds[FOLDS] = 4
        return [self.reads]


def test_a_sum_is_never_taken_during_a_fold() -> None:
    board = CaughtInAFold()
    assert board.total(ONE) == 4


def test_several_columns_are_never_read_with_a_fold_between_them() -> None:
    board = CaughtInAFold()
    assert board.read_all(ONE, OTHER) == [[5], [6]]


def test_a_fold_cut_short_by_the_masters_death_hangs_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l4d.stats.board.PATIENCE", 3)
    board = Board(rows=3, columns=8)
    board.row(board.take_row())[ONE] = 7
    board.row(RETIRED)[FOLDS] += 1  # begun, and never ended
    assert board.total(ONE) == 7
    assert board.total_of([ONE]) == 7
    assert board.read_all(ONE) == [[0, 7]]


def test_the_next_fold_after_one_that_was_cut_short_is_whole() -> None:
    board = Board(rows=3, columns=8)
    number = board.take_row()
    board.row(RETIRED)[FOLDS] += 1
    board.retire_row(number, [ONE], 8)
    assert board.row(RETIRED)[FOLDS] % 2 == 0


def test_many_columns_are_summed_over_all_rows_at_once() -> None:
    board = Board(rows=5, columns=8)
    board.row(RETIRED)[ONE] = 1
    for _ in range(2):
        row = board.row(board.take_row())
        row[ONE], row[OTHER] = 10, 100
    assert board.total_of([ONE, OTHER]) == 221
    assert board.total_of([]) == 0


class FoldedMeanwhile(Board):
    """A fold begins and ends during the first look, and each look at a row counts one more."""

    def __init__(self) -> None:
        super().__init__(rows=3, columns=8)
        self.looks = 0

    def row(self, number: int) -> memoryview:
        found = super().row(number)
        self.looks += 1
        if self.looks == 1:
            found[FOLDS] += 2
        found[ONE] = self.looks
        return found


def test_a_sum_of_many_is_never_taken_during_a_fold() -> None:
    assert FoldedMeanwhile().total_of([ONE]) == 2


def test_a_name_that_is_gone_leaves_nothing_behind() -> None:
    board = Board(rows=3, columns=8)
    board.row(RETIRED)[ONE] = 1
    board.row(board.take_row())[ONE] = 2
    board.forget([ONE])
    assert board.read(ONE) == [0, 0]


def test_a_view_of_a_column_shows_what_is_written_later() -> None:
    board = Board(rows=4, columns=8)
    row = board.take_row()
    view = board.view(5, 2)
    board.row(row)[5] = 7
    assert view.tolist() == [0, 7] == board.read(5)


# Two masters


def test_another_master_goes_on_with_the_same_board() -> None:
    board = Board(rows=4, columns=8)
    mine = board.take_row()
    board.row(mine)[3] = 7
    next_board = Board(4, 8, [os.dup(fd) for fd in board.left], {RETIRED, mine})
    assert next_board.total(3) == 7
    assert next_board.taken == {mine}
    theirs = next_board.take_row()
    assert theirs != mine
    next_board.row(theirs)[3] = 1
    assert board.total(3) == 8


def test_what_is_no_board_is_refused() -> None:
    board = Board(rows=2, columns=8)
    with pytest.raises(ValueError, match="mmap"):
        PlainBoard(200, 1024, board.left)


def test_while_it_is_lent_each_master_takes_rows_of_its_own() -> None:
    board = Board(rows=9, columns=8)
    control, first, second = (board.take_row() for _ in range(3))
    next_board = Board(9, 8, [os.dup(fd) for fd in board.left], board.lend())
    theirs = [next_board.take_row() for _ in range(2)]
    board.retire_row(first, [], 8)
    assert board.take_row() == first
    board.retire_row(second, [], 8)
    assert not {control, first, second} & set(theirs)
    next_board.row(theirs[1])[3] = 5
    assert board.total(3) == next_board.total(3) == 5
    board.retire_row(first, [], 8)
    assert {board.take_row(), board.take_row()} == {first, second}
    with pytest.raises(BoardFullError):
        board.take_row()


def test_what_a_master_that_failed_has_counted_is_kept_and_its_rows_are_free() -> None:
    board = Board(rows=9, columns=8)
    board.take_row()
    next_board = Board(9, 8, [os.dup(fd) for fd in board.left], board.lend())
    theirs = next_board.take_row()
    next_board.row(theirs)[3] = 5
    lent = [board.lent]
    board.take_back([theirs])
    board.retire_row(theirs, [3], 8)
    assert [*lent, board.lent] == [True, False]
    assert board.total(3) == 5
    assert board.rows_used == 2
    assert board.take_row() == theirs


def test_one_who_is_not_the_keeper_folds_nothing_and_tells_the_row() -> None:
    board = Board(rows=3, columns=8)
    row = board.take_row()
    board.row(row)[3] = 5
    told: list[int] = []
    board.keeper = told.append
    board.retire_row(row, [3], 8)
    assert told == [row]
    assert board.read(3) == [0, 5]
