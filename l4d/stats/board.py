"""The board: one shared memory area that every process counts in.

    row 0          the retired row: what rows of the dead had counted
    row 1 .. R-1   one for each living process, which alone writes it
    column 0       in row 0: the fold counter; in the others: unused
    column 1       in row 0: the bell
    column 2       in row 0: how many rows readers must look at
    column 3 ..    numbers, as columns.py assigns them

A number is a 64-bit unsigned integer in the machine's order, and readers sum a column over the rows. It is written
through memoryview items, which the interpreter stores in one piece; `struct.pack_into` into shared memory showed
readers torn or zero values in 19 % of reads.

The area is a memfd that is mostly never touched, and untouched pages cost nothing.
"""

import mmap
import os
import time
from collections.abc import Callable, Collection, Sequence

ROWS = 1024
COLUMNS = 1 << 21
"""A server has 41, and one given by name has 64 seats: twice 256 such names fit, those of a reload beside the last."""

WORD = 8

RETIRED = 0
FOLDS = 0
BELL = 1
ROWS_USED = 2
FIRST_COLUMN = 3


PATIENCE = 100_000
"""Looks at a fold under way; one that lasts longer was cut short by the master's death."""

LONG_LOOKS = 100
"""The same, where each look takes about as long as a fold."""


class BoardFullError(Exception):
    """More processes, or more names, than the board has room for."""


class Board:
    """The shared area, inherited by every process that is forked after it was made."""

    def __init__(
        self,
        rows: int = ROWS,
        columns: int = COLUMNS,
        left: Sequence[int] = (),
        taken: Collection[int] = (RETIRED,),
    ) -> None:
        """A new one; or the one whose descriptors another master has *left*, with the rows *taken* there.

        Raises OSError or ValueError when those are none of a board.
        """
        self.rows = rows
        self.columns = columns
        self.left = tuple(left) or _make(rows * columns * WORD)
        """What another master needs to go on with it."""
        memory, self.bell_fd, self.gap_fd, self.knock_fd = self.left
        # bell: becomes readable with each ring. Nobody reads it: whoever wants to hear watches it edge-triggered.
        # gap: the same, with each session that leaves a server others wait for.
        # knock: readable when control is wanted; control reads it.
        self._memory = mmap.mmap(memory, rows * columns * WORD)
        self._words = memoryview(self._memory).cast("Q")
        self._taken = set(taken)
        self._lent: frozenset[int] | None = None
        self.keeper: Callable[[int], None] | None = None
        """Of two masters that have the board only one folds; the other one has this, to be told of a row instead."""
        self._note_used()

    def row(self, number: int) -> memoryview:
        """The numbers of one row, to be written by its own process only."""
        return self._words[number * self.columns : (number + 1) * self.columns]

    def read(self, column: int) -> list[int]:
        """The column's number in every row in use, the retired one first."""
        used = self._words[ROWS_USED]
        return list(self._words[column : used * self.columns : self.columns])

    def view(self, column: int, rows: int) -> memoryview:
        """The column in the first so many rows, as `read` copies it: to be read again and again."""
        return self._words[column : rows * self.columns : self.columns]

    def total(self, column: int) -> int:
        """The column's sum. Never caught between the two steps of a fold, so that counters do not jump."""
        total = 0
        for _ in range(PATIENCE):  # as below, for one column, of which a scrape asks for thousands
            folds = self._words[FOLDS]
            total = sum(self.read(column))
            if folds % 2 == 0 and folds == self._words[FOLDS]:
                break
        return total

    def total_of(self, columns: Sequence[int]) -> int:
        """The sum of thousands of columns, in a fifth of the time that the `total` of each would take."""
        total = 0
        for _ in range(LONG_LOOKS):
            folds = self._words[FOLDS]
            rows = [self.row(number) for number in range(self.rows_used)]
            total = sum(sum(map(row.__getitem__, columns)) for row in rows)
            if folds % 2 == 0 and folds == self._words[FOLDS]:
                break
        return total

    def read_all(self, *columns: int) -> list[list[int]]:
        """Several columns as `read` copies them, with no fold between them: each row is one process's.

        A row may have come meanwhile: then the last columns are longer.
        """
        found: list[list[int]] = []
        for _ in range(PATIENCE):
            folds = self._words[FOLDS]
            found = [self.read(column) for column in columns]
            if folds % 2 == 0 and folds == self._words[FOLDS]:
                break
        return found

    @property
    def bell(self) -> int:
        """A number that is another one after anybody rang."""
        return self._words[BELL]

    def ring(self) -> None:
        """Tell all processes that something changed that they keep a copy of.

        The one cell with several writers: that it changes is all that matters, and the clock never writes the
        same twice. Who sleeps is woken (eventfd(2): each write is an event for every epoll set it is in).
        """
        self._words[BELL] = time.monotonic_ns()
        os.eventfd_write(self.bell_fd, 1)

    def tell_gap(self) -> None:
        """A server that was full has room again, and somebody waits."""
        os.eventfd_write(self.gap_fd, 1)

    def knock(self) -> None:
        """Control is wanted: a server given by name could not be dialled."""
        os.eventfd_write(self.knock_fd, 1)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a process needs to hear and to be heard."""
        return self.bell_fd, self.gap_fd, self.knock_fd

    @property
    def rows_used(self) -> int:
        """How many rows readers look at."""
        return self._words[ROWS_USED]

    # What follows is the master's alone.

    def take_row(self) -> int:
        """A free row, all zero. Raises BoardFullError."""
        rows = range(1, self.rows) if self._lent is None else sorted(self._lent)
        number = next((row for row in rows if row not in self._taken), None)
        if number is None:
            raise BoardFullError(f"{self.rows - 1} processes are alive, and the board has no row for another")
        self._taken.add(number)
        self._note_used()
        return number

    def lend(self) -> list[int]:
        """Let the next master take rows, too: the ones that are taken now, and that it must leave alone.

        Until `take_back` only those are taken here, again and again: so no row has two writers. And how many rows
        readers look at is the other's to say, whose rows come after ours.
        """
        self._lent = frozenset(self._taken)
        return sorted(self._lent)

    def take_back(self, rows: Collection[int]) -> None:
        """The next master is gone, with all its processes. They had *rows*, which are to be retired now."""
        self._lent = None
        self._taken.update(rows)
        self._note_used()

    @property
    def taken(self) -> set[int]:
        """The rows that are not free, but for the retired one."""
        return self._taken - {RETIRED}

    @property
    def lent(self) -> bool:
        """Whether another master takes rows, too."""
        return self._lent is not None

    def _note_used(self) -> None:
        if self._lent is None:
            self._words[ROWS_USED] = max(self._taken) + 1

    def forget(self, columns: list[int]) -> None:
        """The names of *columns* are gone: what was counted under them is zero again in every row."""
        for number in self._taken:
            row = self.row(number)
            for column in columns:
                row[column] = 0

    def retire_row(self, number: int, counters: list[int], columns_used: int) -> None:
        """Fold a dead process's *counters*, a list of columns, into the retired row, and free its row.

        Columns from *columns_used* on were never given out; they are not touched, and so never cost a page.
        """
        if self.keeper is not None:
            self.keeper(number)
            return
        row, retired = self.row(number), self.row(RETIRED)
        self._words[FOLDS] += 1 + self._words[FOLDS] % 2  # odd, also after one that a master's death has cut short
        for column in counters:
            retired[column] += row[column]
        row[:columns_used] = memoryview(bytes(columns_used * WORD)).cast("Q")
        self._words[FOLDS] += 1
        self._taken.remove(number)
        self._note_used()
        self.tell_gap()  # its sessions are gone with it


def _make(size: int) -> tuple[int, ...]:
    """The descriptors of a new one: its memory, all zero, and three events. Raises OSError."""
    memory = os.memfd_create("l4d-board")
    os.ftruncate(memory, size)
    return memory, *(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK) for _ in range(3))
