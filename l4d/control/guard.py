"""The guard of control's loop: computing that goes on for too long is ended, whatever server has caused it.

Servers choose what we compute: a body on which a regular expression takes for ever, a number of rounds of hashing. No
timeout of asyncio ends that, for none fires while the loop stands still. Signals of timers do. They count the CPU time
of this process (setitimer(2)), so neither idling nor being stopped or starved is taken for computing.

    each second of CPU    SIGPROF; if the loop has not turned since the last one, what runs is ended by an exception
    ten seconds of it     SIGVTALRM, which ends the process, unless SIGPROF was heeded in between: C code that hears no
                          signals goes on for ever. The master replaces control.

Python code hears signals, and so does `re`. Programs that are started from here inherit neither timers nor handlers.
"""

import asyncio
import signal
from types import FrameType
from typing import Final

LONGEST: Final = 1.0
"""Seconds of CPU; so much is let pass at least, and less than twice as much."""

LAST_RESORT: Final = 10.0
"""Seconds of CPU in user mode."""


class TooMuchError(ValueError):
    """Raised in whatever computes. A check that does has failed; elsewhere it is a bug like another."""

    def __init__(self) -> None:
        super().__init__("takes more than a second of computing")


class Guard:
    """Of the loop that runs in the main thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turned = True

    def arm(self) -> None:
        """Guard the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        signal.signal(signal.SIGPROF, self._on_second)
        signal.setitimer(signal.ITIMER_PROF, LONGEST, LONGEST)
        signal.setitimer(signal.ITIMER_VIRTUAL, LAST_RESORT)

    def disarm(self) -> None:
        """From now on anything may take as long as it takes. To be called while the loop runs; it need not be armed."""
        for timer in (signal.ITIMER_PROF, signal.ITIMER_VIRTUAL):
            signal.setitimer(timer, 0)

    def _on_second(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, LAST_RESORT)
        if not self._turned:
            raise TooMuchError
        self._turned = False
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._on_turn)

    def _on_turn(self) -> None:
        self._turned = True
