"""One-time timers on a loop, for whoever has few of them and of many lengths."""

from collections.abc import Callable

from l4d.loop.deadlines import Deadlines
from l4d.loop.loop import Loop

Call = Callable[[], None]


class Timers:
    """Calls things later. A queue is kept for each length that was ever asked for: lengths are few."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._queues: dict[float, Deadlines[Call]] = {}

    def after(self, seconds: float, call: Call) -> None:
        """Call *call* in *seconds*; with 0, before the loop waits again."""
        if seconds not in self._queues:
            self._queues[seconds] = self._loop.queue(seconds, _call)
        self._queues[seconds].enter(call, self._loop.now)

    def cancel(self, seconds: float, call: Call) -> None:
        """*call* is not made, if it was still to be."""
        self._queues[seconds].leave(call)


def _call(call: Call) -> None:
    call()
