"""A generation that starts: it could serve when all its workers are ready and control has looked, or it fails."""

from typing import Protocol

from l4d.log.log import Log
from l4d.master.generation import READY_TIMEOUT, Generation
from l4d.master.steward import Steward
from l4d.master.timers import Timers

LOOK_TIMEOUT = 3.0
"""A generation that is ready waits so many seconds for control to have checked and resolved what it serves."""


class Parent(Protocol):
    """Who is told, once, which of the two it is."""

    log: Log

    def arrived(self) -> None:
        """It could serve."""
        ...

    def abandon(self, why: str) -> None:
        """It will not."""
        ...


class Arrival:
    """One generation's, until it has arrived or was abandoned."""

    def __init__(self, generation: Generation, timers: Timers, steward: Steward, parent: Parent) -> None:
        """Its workers are there, and not ready."""
        self.generation = generation
        self._timers = timers
        self._steward = steward
        self._parent = parent
        self._over = False
        timers.after(READY_TIMEOUT, self._too_slow)

    def look(self) -> None:
        """A worker is ready, or control has looked: is that all?"""
        if self._over or not self.generation.ready:
            return
        if self._steward.knows(self.generation):
            self._arrive()
        else:
            self._timers.after(LOOK_TIMEOUT, self._arrive_unseen)

    def end(self) -> None:
        """It has failed for another reason, or has arrived."""
        self._over = True
        self._timers.cancel(READY_TIMEOUT, self._too_slow)

    def _arrive(self) -> None:
        self.end()
        self._parent.arrived()

    def _arrive_unseen(self) -> None:
        if not self._over:
            self._parent.log.warning(f"not every server has been looked at after {LOOK_TIMEOUT:g} s; going on without")
            self._arrive()

    def _too_slow(self) -> None:
        if not self._over:
            self._parent.abandon(f"its workers were not ready after {READY_TIMEOUT:g} s")
