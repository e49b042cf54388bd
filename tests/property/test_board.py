"""The board against plain dicts, and read by one process while others write and fold."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from l4d.stats.board import FIRST_COLUMN, RETIRED, Board, BoardFullError

ROWS = 5
COUNTERS = [FIRST_COLUMN, FIRST_COLUMN + 1]
GAUGES = [FIRST_COLUMN + 2]
USED = FIRST_COLUMN + 3


class BoardAgainstPlainDicts(RuleBasedStateMachine):
    """Workers are born, count, and die. The model is a dict of sums, and one of gauges for each living worker."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board(ROWS, USED + 5)
        self.sums = dict.fromkeys(COUNTERS, 0)
        self.gauges: dict[int, dict[int, int]] = {}
        self.shown = dict.fromkeys(COUNTERS, 0)

    def one_of(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.gauges)))

    @rule()
    def a_worker_is_born(self) -> None:
        if len(self.gauges) == ROWS - 1:
            with pytest.raises(BoardFullError):
                self.board.take_row()
            return
        number = self.board.take_row()
        assert number != RETIRED
        assert number not in self.gauges
        assert not any(self.board.row(number))
        self.gauges[number] = dict.fromkeys(GAUGES, 0)

    @precondition(lambda self: self.gauges)
    @rule(data=st.data(), column=st.sampled_from(COUNTERS), number=st.integers(0, 1 << 40))
    def a_worker_counts(self, data: st.DataObject, column: int, number: int) -> None:
        self.board.row(self.one_of(data))[column] += number
        self.sums[column] += number

    @precondition(lambda self: self.gauges)
    @rule(data=st.data(), column=st.sampled_from(GAUGES), number=st.integers(0, 1000))
    def a_worker_sets_a_gauge(self, data: st.DataObject, column: int, number: int) -> None:
        worker = self.one_of(data)
        self.board.row(worker)[column] = number
        self.gauges[worker][column] = number

    @precondition(lambda self: self.gauges)
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        worker = self.one_of(data)
        self.board.retire_row(worker, COUNTERS, USED)
        del self.gauges[worker]

    @invariant()
    def the_sums_are_those_of_the_model(self) -> None:
        assert {column: self.board.total(column) for column in COUNTERS} == self.sums
        for column in GAUGES:
            assert self.board.total(column) == sum(gauges[column] for gauges in self.gauges.values())

    @invariant()
    def no_counter_goes_back(self) -> None:
        now = {column: self.board.total(column) for column in COUNTERS}
        assert all(now[column] >= self.shown[column] for column in COUNTERS)
        self.shown = now


def test_the_board_counts_as_plain_dicts_do() -> None:
    run_state_machine_as_test(BoardAgainstPlainDicts, settings=settings(deadline=None, max_examples=150))


SEVERAL_PROCESSES = """
import os, signal, sys
from l4d.stats.board import FIRST_COLUMN, FOLDS, RETIRED, Board

WORKERS, COUNTS, FOLDED, READS = 3, 500, 200, 2000
STEP = 0x1_0000_0001   # both halves of the word change with each count
board = Board(rows=8, columns=16)

def child(work):
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
    return pid

def count(row):
    numbers = board.row(row)
    for _ in range(COUNTS):
        numbers[FIRST_COLUMN] += STEP

def read():
    last, reads = 0, 0
    while reads < READS or board.row(RETIRED)[FOLDS] < 2 * FOLDED:
        now = board.total(FIRST_COLUMN)
        assert now >= last, f"went back from {last} to {now}"
        assert now % STEP == 0, f"{now} is torn"
        last, reads = now, reads + 1

readers = {child(read) for _ in range(2)}
workers, born = {}, 0
while readers or workers:
    while readers and len(workers) < WORKERS:
        row = board.take_row()
        workers[child(lambda: count(row))] = row
        born += 1
    pid, status = os.wait()
    if status:
        for other in (readers | workers.keys()) - {pid}:
            os.kill(other, signal.SIGKILL)
        sys.exit("a process gave up")
    if pid in workers:
        board.retire_row(workers.pop(pid), [FIRST_COLUMN], 16)
    readers.discard(pid)
assert board.total(FIRST_COLUMN) == born * COUNTS * STEP
print("all counted")
"""


def test_no_reader_sees_a_counter_go_back_or_torn_while_workers_count_and_die_and_their_rows_are_folded() -> None:
    """In a program of its own: it forks, and the test runner has threads."""
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL_PROCESSES],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("all counted\n", "", 0)
