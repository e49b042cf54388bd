"""Which column of the board a number has: given out once for each metric and label values, and kept for good.

A name that comes back after a reload finds its old column, so its counters go on. The master gives columns
out before it forks; a process knows those of its own generation and of all earlier ones.
"""

from collections.abc import Iterator, Sequence

from l4d.stats.board import COLUMNS, FIRST_COLUMN, BoardFullError
from l4d.stats.catalogue import Kind, Metric


class Columns:
    """The columns given out so far."""

    def __init__(self, room: int = COLUMNS) -> None:
        self._room = room
        self._given: dict[tuple[Metric, tuple[str, ...]], int] = {}

    @property
    def used(self) -> int:
        """The number of the first column that nobody has."""
        return FIRST_COLUMN + len(self._given)

    def of(self, metric: Metric, *labels: str) -> int:
        """The column of *metric* with these label values, in the metric's order. Raises BoardFullError."""
        assert len(labels) == len(metric.labels), f"{metric.name} wants {metric.labels}"
        key = metric, labels
        column = self._given.get(key)
        if column is None:
            column = self.used
            if column >= self._room:
                raise BoardFullError(f"the board's {self._room} columns are used up by the names of all reloads so far")
            self._given[key] = column
        return column

    def counters(self) -> list[int]:
        """The columns that outlive the process that counted."""
        return [column for (metric, _labels), column in self._given.items() if metric.kind is Kind.COUNTER]

    def each(self, metric: Metric) -> Iterator[tuple[Sequence[str], int]]:
        """The label values and the column of every number of *metric*."""
        for (one, labels), column in self._given.items():
            if one is metric:
                yield labels, column
