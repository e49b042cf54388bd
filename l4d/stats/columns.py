"""Which column of the board a number has: given out once for each metric and label values.

A name that comes back after a reload finds its old column, so its counters go on. The master gives columns
out before it forks; a process knows those of its own generation and of all earlier ones. Columns of names that no
living generation has are given back, so that servers that come and go never use the board up.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

from l4d.stats import catalogue
from l4d.stats.board import COLUMNS, FIRST_COLUMN, BoardFullError
from l4d.stats.catalogue import Kind, Metric

Key: TypeAlias = tuple[Metric, tuple[str, ...]]
"""A metric with its label values."""

Named: TypeAlias = tuple[str, tuple[str, ...], int]
"""A metric by its name, label values, and their column: as another program can read it."""

_LASTING = frozenset({Kind.COUNTER, Kind.HISTOGRAM})

_BY_NAME = {metric.name: metric for metric in vars(catalogue).values() if isinstance(metric, Metric)}


class Columns:
    """The columns given out so far."""

    def __init__(self, room: int = COLUMNS) -> None:
        self._room = room
        self._given: dict[Key, int] = {}
        self._free: list[int] = []
        self._recorded: set[Key] = set()
        self.used = FIRST_COLUMN
        """The number of the first column that nobody ever had."""
        self._sealed = False

    @classmethod
    def inherited(cls, room: int, given: Iterable[Named], free: Iterable[int], used: int) -> "Columns":
        """Those that another program has given out, see `named`, given back, and used.

        A column whose metric nobody knows here is neither given nor free: it stays what it was, for whoever does.
        """
        columns = cls(room)
        for name, labels, column in given:
            metric = _BY_NAME.get(name)
            if metric is not None and len(labels) == len(metric.column_labels):
                columns._given[metric, labels] = column
        columns._free = list(free)
        columns.used = used
        return columns

    @property
    def named(self) -> list[Named]:
        """All that are given out."""
        return [(metric.name, labels, column) for (metric, labels), column in self._given.items()]

    @property
    def free(self) -> list[int]:
        """All that were given back."""
        return list(self._free)

    @property
    def keys(self) -> frozenset[Key]:
        """Whatever has a column."""
        return frozenset(self._given)

    def of(self, metric: Metric, *labels: str) -> int:
        """The column of *metric* with these label values, in the metric's order.

        Raises BoardFullError; where they are sealed, LookupError: it has none.
        """
        assert len(labels) == len(metric.column_labels), f"{metric.name} wants {metric.column_labels}"
        key = metric, labels
        self._recorded.add(key)
        column = self._given.get(key)
        if column is None:
            if self._sealed:
                raise LookupError(f"nothing was ever counted for {metric.name} of {'/'.join(labels)}")
            column = self._given[key] = self._free.pop() if self._free else self._next()
        return column

    def seal(self) -> None:
        """None is given out any more: in this process, which is not the master, all are known that there will be."""
        self._sealed = True

    def _next(self) -> int:
        if self.used >= self._room:
            raise BoardFullError(f"the board has {self._room} columns, and so many names need more")
        self.used += 1
        return self.used - 1

    def record(self) -> None:
        """Note from here on which keys are asked for."""
        self._recorded = set()

    @property
    def recorded(self) -> frozenset[Key]:
        """The keys asked for since `record`."""
        return frozenset(self._recorded)

    def release_all_but(self, kept: Collection[Key]) -> list[int]:
        """Give back the columns of all other keys: their numbers, which the caller is to zero in every row."""
        released = [key for key in self._given if key not in kept]
        columns = [self._given.pop(key) for key in released]
        self._free += columns
        return columns

    def counters(self) -> list[int]:
        """The columns that outlive the process that counted."""
        return [column for (metric, _labels), column in self._given.items() if metric.kind in _LASTING]

    def find(self, metric: Metric, *labels: str) -> int | None:
        """The column of *metric* with these label values, if it has one."""
        return self._given.get((metric, labels))

    def each(self, metric: Metric) -> Iterator[tuple[Sequence[str], int]]:
        """The label values and the column of every number of *metric*."""
        for (one, labels), column in self._given.items():
            if one is metric:
                yield labels, column
