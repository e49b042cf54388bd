"""The guard at a door: callers that are slow, silent, endless or many cost others nothing.

    come --> waits for a whole request (10 s) --> is answered --> waits for the next (30 s from the last one) --> ...

Whoever has not sent a whole request, or read its answer and sent the next, by then is cut off. There may be so many
callers at a time; when one more comes, that one makes room who has been waiting for longest, for who means it well
sends its request at once.
"""

import asyncio
from collections.abc import Callable
from typing import Final

FIRST_WITHIN: Final = 10.0
"""Seconds from coming until the first request is complete."""

NEXT_WITHIN: Final = 30.0
"""Seconds from a complete request until the next one is; its answer must have been read in them."""

MOST_CALLERS: Final = 128
"""At one door."""

MOST_UNHEARD: Final = 256 << 10
"""Bytes that a caller may send before a request is complete: head, and a body that was too large and is thrown away."""


class Visit:
    """One caller's connection, as the guard sees it."""

    __slots__ = ("_deadline", "_guard", "_transport", "_unheard", "heard_once")

    def __init__(self, guard: "Guard", transport: asyncio.Transport) -> None:
        self._guard = guard
        self._transport = transport
        self._unheard = 0
        self.heard_once = False
        self._deadline = self._end_in(FIRST_WITHIN)

    def may_send(self, size: int) -> bool:
        """Whether so many more bytes may be read; if not, the caller has been cut off."""
        self._unheard += size
        if self._unheard <= MOST_UNHEARD:
            return True
        self.cut_off()
        return False

    def heard(self) -> None:
        """A request is complete."""
        self.heard_once = True
        self._unheard = 0
        self._deadline.cancel()
        self._deadline = self._end_in(NEXT_WITHIN)
        self._guard.attend(self)

    def answered(self) -> None:
        """Its answer is made, and may be on its way yet."""
        self._guard.await_next(self)

    def over(self) -> None:
        """The connection is gone."""
        self._deadline.cancel()
        self._guard.left(self)

    def dismiss(self) -> None:
        """End it when what is on its way has been sent."""
        self._transport.close()

    def cut_off(self) -> None:
        """End it, whatever is on its way."""
        self._transport.abort()

    def _end_in(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self.cut_off)


class Guard:
    """Of one door."""

    def __init__(self) -> None:
        self.visits: set[Visit] = set()
        self._waiting: dict[Visit, None] = {}  # the one that has waited for longest first
        self._on_leave: Callable[[], None] = _nobody_waits

    def admit(self, transport: asyncio.Transport) -> Visit | None:
        """Somebody comes; None: every place is taken by somebody who is being answered."""
        if len(self.visits) >= MOST_CALLERS and not self._make_room():
            return None
        visit = Visit(self, transport)
        self.visits.add(visit)
        self._waiting[visit] = None
        return visit

    def _make_room(self) -> bool:
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        self.left(longest)
        longest.cut_off()
        return True

    def attend(self, visit: Visit) -> None:
        self._waiting.pop(visit, None)

    def await_next(self, visit: Visit) -> None:
        if visit in self.visits:
            self._waiting[visit] = None

    def left(self, visit: Visit) -> None:
        self.visits.discard(visit)
        self._waiting.pop(visit, None)
        self._on_leave()

    async def empty(self, patience: float) -> None:
        """Nobody comes any more: see those out who are owed an answer, for so many seconds; then all are cut off."""
        for visit in [visit for visit in self._waiting if visit.heard_once]:
            visit.dismiss()
        gone = asyncio.Event()
        self._on_leave = lambda: gone.set() if not self.visits else None
        self._on_leave()
        try:
            await asyncio.wait_for(gone.wait(), patience)
        except asyncio.TimeoutError:
            for visit in list(self.visits):
                visit.cut_off()


def _nobody_waits() -> None:
    """What is done when somebody leaves, as long as that is not waited for."""
