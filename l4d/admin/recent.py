"""What workers did lately: their counts now, less those of some seconds ago."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from l4d.stats.distribution import Distribution
from l4d.stats.picture import ProcessPicture

SECONDS: Final = 10
"""So many looks are kept, one a second."""


@dataclass(frozen=True, slots=True)
class Lately:
    """In the last seconds."""

    cpu_percent: float  # of one CPU
    turns: Distribution


class Recent:
    """The last looks at all processes."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, dict[int, ProcessPicture]]] = deque(maxlen=SECONDS)

    def note(self, every: Iterable[ProcessPicture], now: float) -> None:
        """To be called once a second."""
        self._looks.append((now, {one.pid: one for one in every}))

    def of(self, one: ProcessPicture, now: float) -> Lately:
        """Since the first look at this process that is kept; since its birth, if there was none yet."""
        for time, every in self._looks:
            before = every.get(one.pid)
            if before is not None and now > time:
                used = max(0.0, one.cpu_seconds - before.cpu_seconds)
                return Lately(100 * used / (now - time), one.turns.since(before.turns))
        return Lately(0.0, one.turns)

    def reaches(self, since: float) -> bool:
        """Whether there was a look so long ago, or longer."""
        return bool(self._looks) and self._looks[0][0] <= since

    def serving_slots(self, since: float) -> set[int]:
        """The slots in which a worker served at some look *since* then."""
        looks = (every for time, every in self._looks if time >= since)
        return {one.slot for every in looks for one in every.values() if one.serves}
