"""How many reads an event is worth: enough for those who send much, few for those who send one at a time.

A read that finds nothing costs a system call and an exception. So no more is read than was found lately: a
level-triggered loop tells again what was left. Several events in a row that found all they asked for double the limit,
one that ran dry sets it to what there was.
"""

MOST = 64
"""As many datagrams as one train holds (UDP_MAX_SEGMENTS, linux/udp.h)."""

PATIENCE = 4
"""So many events in a row must find all they asked for."""


class Burst:
    """The limit for one socket."""

    __slots__ = ("_full", "limit")

    def __init__(self) -> None:
        self.limit = 1
        self._full = 0

    def was_full(self) -> None:
        """An event has found as many as the limit."""
        self._full += 1
        if self._full >= PATIENCE and self.limit < MOST:
            self.limit *= 2
            self._full = 0

    def ran_dry(self, found: int) -> None:
        """An event has found only so many."""
        self.limit = found or 1
        self._full = 0
