"""Who the processes are that have a row of the board, and how they are: each says it of itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from l4d.stats import catalogue
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.terms import WorkerState

_METRICS: Final = (
    catalogue.PID,
    catalogue.GENERATION,
    catalogue.SLOT,
    catalogue.SLOTS,
    catalogue.STATE,
    catalogue.HEARTBEAT,
)
_STATES: Final = tuple(WorkerState)
_SERVING: Final = frozenset({WorkerState.SERVING, WorkerState.FULL})


def reserve(columns: Columns) -> None:
    """Give a column to each of these numbers. Raises BoardFullError."""
    for metric in _METRICS:
        columns.of(metric)


class Presence:
    """A process's own part: it is there."""

    __slots__ = ("_heartbeat", "_row", "_state")

    def __init__(
        self, row: memoryview, columns: Columns, pid: int, generation: int, slot: int = -1, slots: int = 0
    ) -> None:
        """*slot*, of so many *slots*, is a worker's; -1: it is control."""
        self._row = row
        self._heartbeat = columns.of(catalogue.HEARTBEAT)
        self._state = columns.of(catalogue.STATE)
        row[columns.of(catalogue.GENERATION)] = generation
        row[columns.of(catalogue.SLOT)] = slot + 1
        row[columns.of(catalogue.SLOTS)] = slots
        row[self._state] = 0
        row[columns.of(catalogue.PID)] = pid  # last: from here on it is found

    def beat(self, now: float) -> None:
        """It turns, at *now*, monotonic seconds."""
        self._row[self._heartbeat] = int(now * 1000)

    def become(self, state: WorkerState) -> None:
        """From now on the worker does this."""
        self._row[self._state] = _STATES.index(state)


@dataclass(frozen=True, slots=True)
class Process:
    """A process as others see it. Times are monotonic seconds."""

    row: int
    pid: int
    generation: int
    slot: int  # -1: it is control
    slots: int
    state: WorkerState  # a worker's
    heartbeat: float  # when it last turned; 0: not yet

    @property
    def is_worker(self) -> bool:
        return self.slot >= 0

    @property
    def serves(self) -> bool:
        """Whether it is a worker that has the listening sockets, even if it has no room just now."""
        return self.is_worker and self.state in _SERVING


def processes(board: Board, columns: Columns) -> list[Process]:
    """All that are there now, in the order of their rows."""
    values = board.read_all(*(columns.of(metric) for metric in _METRICS))
    return [
        Process(row, pid, generation, slot - 1, slots, _STATES[state], heartbeat / 1000)
        for row, (pid, generation, slot, slots, state, heartbeat) in enumerate(zip(*values, strict=False))
        if pid
    ]


def serving(every: Iterable[Process]) -> list[Process]:
    """The workers that serve, of the newest generation of which there are any."""
    return _newest([each for each in every if each.serves])


def present(every: Sequence[Process]) -> list[Process]:
    """The workers of what serves; when none does, those that did last.

    At a reload they may hear that they are to leave a moment before the next ones hear that they are to begin.
    """
    return serving(every) or _newest([each for each in every if each.is_worker and each.state is WorkerState.LEAVING])


def _newest(workers: list[Process]) -> list[Process]:
    newest = max((each.generation for each in workers), default=0)
    return [each for each in workers if each.generation == newest]
