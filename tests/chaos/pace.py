"""So many a second, evenly; what was missed while the process stood still is not made up for."""

import time

_PATIENCE = 0.1


class Pace:
    """When the next one is due."""

    def __init__(self, rate: float) -> None:
        self._step = 1 / rate
        self.next = time.monotonic()

    def due(self, now: float) -> int:
        """How many are due now."""
        if now - self.next > _PATIENCE:
            self.next = now
        count = max(0, int((now - self.next) / self._step) + 1) if now >= self.next else 0
        self.next += count * self._step
        return count
