"""What a histogram says: how many there were, their mean, and the value that a part of them does not exceed."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """The counts of the buckets, each its own alone, and the sum of all values."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]  # one more than bounds: the last one has what is more than any bound
    total: float

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """0, if there were none."""
        return self.total / self.count if self.count else 0.0

    def quantile(self, part: float) -> float:
        """The value that *part* of them (0.99: of a hundred all but one) do not exceed; 0, if there were none.

        Within a bucket they are taken to be spread evenly, as Prometheus does; beyond the last bound nothing is known
        but that bound.
        """
        rank = part * self.count
        below, lowest = 0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            if count and below + count >= rank:
                return lowest + (bound - lowest) * (rank - below) / count
            below += count
            lowest = bound
        return lowest if self.count else 0.0

    def over(self, bound: float) -> int:
        """How many were more than *bound*, which is one of the bounds."""
        return sum(self.counts[self.bounds.index(bound) + 1 :])

    def cumulative(self) -> list[tuple[float, int]]:
        """Each bound, infinity last, with how many were not more than that."""
        below, rows = 0, []
        for bound, count in zip((*self.bounds, math.inf), self.counts, strict=True):
            below += count
            rows.append((bound, below))
        return rows

    def since(self, earlier: "Distribution") -> "Distribution":
        """Those that came after *earlier*, a look at the same histogram."""
        counts = tuple(max(0, now - then) for now, then in zip(self.counts, earlier.counts, strict=True))
        return Distribution(self.bounds, counts, max(0.0, self.total - earlier.total))
