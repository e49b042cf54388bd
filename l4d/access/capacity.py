"""How many sessions a worker may have, so that it never takes a client it has no descriptors to serve."""

from collections.abc import Callable
from typing import Final

TCP_DESCRIPTORS: Final = 2
UDP_DESCRIPTORS: Final = 1

RESERVE = 64
"""Descriptors kept for what is neither a session nor a pipe of the pool: the log, the epoll set, a moment's need."""


class Capacity:
    """Sessions of one worker, TCP and UDP together, and their descriptors, against their bounds."""

    def __init__(self, max_sessions: int, descriptors: int) -> None:
        """*max_sessions* is the operator's word (0: none); *descriptors* is what is left for sessions."""
        self.sessions = 0
        self._max_sessions = max_sessions or max(descriptors, TCP_DESCRIPTORS)
        self._descriptors = max(descriptors, TCP_DESCRIPTORS)
        self._in_use = 0
        self._waiting: Callable[[], None] | None = None
        self._on_empty: Callable[[], None] | None = None

    @property
    def most(self) -> int:
        """The most sessions there can be, whatever they are."""
        return min(self._max_sessions, self._descriptors)

    @property
    def room(self) -> int:
        """So many descriptors are left for sessions."""
        return max(0, self._descriptors - self._in_use)

    def has_room(self, descriptors: int) -> bool:
        """Whether one more session of so many descriptors may begin."""
        return self.sessions < self._max_sessions and self._in_use + descriptors <= self._descriptors

    def take(self, descriptors: int) -> None:
        """One more session. To be asked first: `has_room`."""
        self.sessions += 1
        self._in_use += descriptors

    def give_back(self, descriptors: int) -> None:
        """One session less."""
        self.sessions -= 1
        self._in_use -= descriptors
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting()
        if not self.sessions and self._on_empty is not None:
            self._on_empty()

    def when_room(self, call: Callable[[], None]) -> None:
        """Call *call* once, when the next session has left."""
        self._waiting = call

    def when_empty(self, call: Callable[[], None]) -> None:
        """Call *call* whenever the last session has left; at once if there is none."""
        self._on_empty = call
        if not self.sessions:
            call()
