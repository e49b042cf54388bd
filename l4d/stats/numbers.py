"""What all processes have counted so far, read from the board by the names of the catalogue.

Only names of one's own configuration are to be asked for: the master keeps their columns as long as there is anybody
who was told of them, while the columns of others may be given to somebody else at any time.
"""

from collections.abc import Iterable

from l4d.config.model import Server
from l4d.stats import catalogue
from l4d.stats.board import Board
from l4d.stats.catalogue import SUM, Metric
from l4d.stats.columns import Columns
from l4d.stats.distribution import Distribution


class Numbers:
    """The sums over all rows. What has no column was never counted, and is 0."""

    def __init__(self, board: Board, columns: Columns) -> None:
        self.board = board
        self.columns = columns

    def total(self, metric: Metric, *labels: str) -> int:
        """As it stands on the board, in the metric's unit."""
        column = self.columns.find(metric, *labels)
        return 0 if column is None else self.board.total(column)

    def by(self, metric: Metric, labels: tuple[str, ...], values: Iterable[str]) -> dict[str, int]:
        """The totals for each of the *values* of the last label."""
        return {value: self.total(metric, *labels, value) for value in values}

    def latest(self, metric: Metric, *labels: str) -> int:
        """The greatest number of any row."""
        column = self.columns.find(metric, *labels)
        return 0 if column is None else max(self.board.read(column))

    def seats_taken(self, upstream: str, entry: Server) -> int:
        """How many of the servers that *entry* may stand for there ever were: one, or of a name its seats."""
        return self.total(catalogue.SEATS_TAKEN, upstream, entry.name) if entry.named else 1

    def distribution(self, metric: Metric, *labels: str) -> Distribution:
        """A histogram over all processes."""
        counts = self.by(metric, labels, metric.buckets)
        return Distribution(metric.bounds, tuple(counts.values()), self.total(metric, *labels, SUM) / metric.unit)

    def own(self, row: int, metric: Metric, *labels: str) -> int:
        """What the process of one row has counted."""
        column = self.columns.find(metric, *labels)
        return 0 if column is None else self.board.row(row)[column]

    def own_distribution(self, row: int, metric: Metric, *labels: str) -> Distribution:
        """A histogram of the process of one row."""
        counts = tuple(self.own(row, metric, *labels, bucket) for bucket in metric.buckets)
        return Distribution(metric.bounds, counts, self.own(row, metric, *labels, SUM) / metric.unit)
