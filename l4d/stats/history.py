"""The last two minutes: what there was each second, for a chart that has a past when somebody first looks at it."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from l4d.config.model import Config
from l4d.stats import catalogue
from l4d.stats.numbers import Numbers

INTERVAL: Final = 1.0
"""Seconds from one sample to the next."""

MOST: Final = 120
"""So many seconds are told of, each from the difference of two samples."""


@dataclass(frozen=True, slots=True)
class Sample:
    """All there is at one moment."""

    time: float  # seconds since 1970
    now: float  # monotonic seconds
    sessions: int
    sessions_total: int
    bytes_up: int
    bytes_down: int
    failures: int  # dials and checks that have failed


class History:
    """The samples that are kept."""

    def __init__(self, numbers: Numbers, config: Config) -> None:
        self._numbers = numbers
        self._config = config
        self._samples: deque[Sample] = deque(maxlen=MOST + 1)
        self._seen: list[tuple[str, str]] = []  # upstream and name of each server of which there are columns below
        self._columns: list[int] = []  # of their failures

    def take(self, time: float, now: float) -> None:
        """One more sample, to be taken every INTERVAL; *time* is seconds since 1970, *now* monotonic ones."""
        count, names = self._numbers.total, self._config.listeners
        self._samples.append(
            Sample(
                time,
                now,
                sum(count(catalogue.SESSIONS, name) for name in names),
                sum(count(catalogue.SESSIONS_TOTAL, name) for name in names),
                sum(count(catalogue.BYTES, name, "up") for name in names),
                sum(count(catalogue.BYTES, name, "down") for name in names),
                self._failures(),
            )
        )

    def _failures(self) -> int:
        servers = self._servers()
        if servers != self._seen:
            self._seen, self._columns = servers, [column for each in servers for column in self._columns_of(*each)]
        return self._numbers.board.total_of(self._columns)

    def _columns_of(self, upstream: str, server: str) -> Iterator[int]:
        dials = [(catalogue.SERVER_FAILURES, reason) for reason in catalogue.FAILURE_REASONS]
        for metric, label in (*dials, (catalogue.SERVER_CHECKS, "failed")):
            column = self._numbers.columns.find(metric, upstream, server, label)
            if column is not None:
                yield column

    def _servers(self) -> list[tuple[str, str]]:
        """Upstream and name of every server, and of every seat that was ever taken."""
        return [
            (upstream.name, name)
            for upstream in self._config.upstreams.values()
            for entry in upstream.servers
            for name in entry.seats[: self._numbers.seats_taken(upstream.name, entry)]
        ]

    def told(self) -> dict[str, object]:
        """As the API has it: numbers of sessions, and what came in each second, the oldest first."""
        pairs = list(pairwise(self._samples))
        return {
            "interval_seconds": INTERVAL,
            "time": [round(after.time, 3) for _before, after in pairs],
            "sessions": [after.sessions for _before, after in pairs],
            "new_sessions": [_rate(*pair, lambda sample: sample.sessions_total) for pair in pairs],
            "bytes_up": [_rate(*pair, lambda sample: sample.bytes_up) for pair in pairs],
            "bytes_down": [_rate(*pair, lambda sample: sample.bytes_down) for pair in pairs],
            "failures": [_rate(*pair, lambda sample: sample.failures) for pair in pairs],
        }


def _rate(before: Sample, after: Sample, number: Callable[[Sample], int]) -> float:
    """A second. Less than nothing would mean that a number has begun anew."""
    return round(max(0, number(after) - number(before)) / (after.now - before.now), 3)
