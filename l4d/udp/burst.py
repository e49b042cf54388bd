"""How many reads an event is worth: enough for those who send much, few for those who send one at a time.

A read that finds nothing costs a system call and an exception. So no more is read than was found lately: a
level-triggered loop tells again what was left. Several events in a row that found all they asked for double the limit,
one that ran dry sets it to what there was. Those who always send one at a time would be asked for a second one in vain
every few events, so each time that asking for more found none it takes longer until it is tried again.
"""

from typing import Final

MOST: Final = 64
"""As many datagrams as one train holds (UDP_MAX_SEGMENTS, linux/udp.h)."""

PATIENCE: Final = 4
"""So many events in a row must find all they asked for; twice as many after each doubling in vain."""

MOST_PATIENCE: Final = 512


class Burst:
    """The limit for one socket."""

    __slots__ = ("_full", "_patience", "_tried", "limit")

    def __init__(self) -> None:
        self.limit = 1
        self._full = 0
        self._patience = PATIENCE
        self._tried = 0  # the limit before it was doubled; nothing is known yet of whether that pays

    def was_full(self) -> None:
        """An event has found as many as the limit."""
        self._full += 1
        if self._tried:  # it paid
            self._tried = 0
            self._patience = PATIENCE
        if self._full >= self._patience and self.limit < MOST:
            self._tried = self.limit
            self.limit *= 2
            self._full = 0

    def ran_dry(self, found: int) -> None:
        """An event has found only so many."""
        if self._tried and found <= self._tried:
            self._patience = min(2 * self._patience, MOST_PATIENCE)
        self._tried = 0
        self.limit = found or 1
        self._full = 0
