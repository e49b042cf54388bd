"""The pulse of a process: whether it still turns, as its master hears it.

A process that is well writes the time to the board twice a second. Its master looks for a new one every few seconds,
and counts the looks in a row that have found none. It does not compare that time with the clock: when the machine, or
all of l4d, was stopped for a while and goes on, every heartbeat is old and nobody hangs.
"""

from collections.abc import Callable

from l4d.master.timers import Timers

HEARTBEAT_TIMEOUT = 10.0
"""A process that has not been heard of for so many seconds hangs."""

LOOKS = 4
"""So often it is looked for a heartbeat in that time."""


class Pulse:
    """One process is listened to, until it hangs or is of no interest any more."""

    def __init__(
        self,
        timers: Timers,
        last_beat: Callable[[], float | None],
        on_hang: Callable[[], None],
        timeout: float = HEARTBEAT_TIMEOUT,
    ) -> None:
        """*last_beat* gives a number that is another one after each heartbeat, or None to end the listening.

        *on_hang* is called once, when the last heartbeat is as old as *timeout*, or up to a quarter older.
        """
        self._timers = timers
        self._last_beat = last_beat
        self._on_hang = on_hang
        self._pause = timeout / LOOKS
        self._heard: float | None = None
        self._silent = 0  # so many looks in a row have found no new heartbeat

    def listen(self) -> None:
        """Look again in a while. To be called once; it goes on by itself."""
        self._timers.after(self._pause, self._look)

    def _look(self) -> None:
        last, self._heard = self._heard, self._last_beat()
        if self._heard is None:
            return
        self._silent = self._silent + 1 if self._heard == last else 0
        if self._silent < LOOKS:
            self.listen()
        else:
            self._on_hang()
