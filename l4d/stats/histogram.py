"""A histogram as one process counts it: a column for each bucket, and one for the sum.

A bucket's column has what is in that bucket alone; whoever shows them adds them up (stats/distribution.py).
"""

from bisect import bisect_left
from typing import Final

from l4d.stats.catalogue import MICROSECONDS, SUM, Metric
from l4d.stats.columns import Columns

_UNITS: Final = float(MICROSECONDS)


class Histogram:
    """Counts seconds on one row."""

    __slots__ = ("_bounds", "_buckets", "_row", "_sum")

    def __init__(self, row: memoryview, columns: Columns, metric: Metric, *labels: str) -> None:
        self._row = row
        self._bounds = metric.bounds
        self._buckets = tuple(columns.of(metric, *labels, bucket) for bucket in metric.buckets)
        self._sum = columns.of(metric, *labels, SUM)

    def observe(self, seconds: float) -> None:
        """Count one that took so long."""
        row = self._row
        row[self._buckets[bisect_left(self._bounds, seconds)]] += 1
        if seconds > 0:  # two processes' turns began at different times: what one began may be in the other's future
            row[self._sum] += int(seconds * _UNITS + 0.5)
