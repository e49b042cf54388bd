"""When what is done: the plan, and what events leave to be done later."""

import heapq
import time
from collections.abc import Callable, Sequence

from tests.chaos.bed import Bed
from tests.chaos.event import Event
from tests.chaos.events import happen
from tests.chaos.plan import Planned

_AGAIN = 0.02


class Timetable:
    """What is to be done on *bed*, by monotonic time."""

    def __init__(self, bed: Bed, planned: Sequence[Planned], began: float, tell: Callable[[Event], None]) -> None:
        """*tell* hears of each event when it has happened."""
        self.events: list[Event] = []
        self._bed = bed
        self._tell = tell
        self._due: list[tuple[float, int, Callable[[], bool]]] = []
        self._count = 0
        for each in planned:
            self._at(began + each.at, self._event(each))

    @property
    def next(self) -> float:
        """When something is due; infinity: never more."""
        return self._due[0][0] if self._due else float("inf")

    @property
    def is_done(self) -> bool:
        return not self._due

    def go_on(self) -> None:
        """Do what is due."""
        while self.next <= time.monotonic():
            _, _, action = heapq.heappop(self._due)
            if not action():
                self._at(time.monotonic() + _AGAIN, action)

    def _event(self, planned: Planned) -> Callable[[], bool]:
        def do() -> bool:
            event = happen(self._bed, planned, self._later)
            self.events.append(event)
            self._tell(event)
            return True

        return do

    def _later(self, seconds: float, action: Callable[[], bool]) -> None:
        self._at(time.monotonic() + seconds, action)

    def _at(self, moment: float, action: Callable[[], bool]) -> None:
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, action))
