"""Deadlines of one length: whoever entered first is due first.

Because all of them wait equally long, the order of entry is the order of expiry, and a doubly linked dict
(OrderedDict) gives entering, touching, leaving and expiring at constant cost. A heap would keep what has left until its
time comes: 1,000 dead timers after 500 sessions.

No clock is read here; `now` is seconds on any clock that never goes back.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Final, Generic, TypeVar

Waiter = TypeVar("Waiter")

NEVER: Final = float("inf")


class DueError(Exception):
    """What was called for *waiter* has raised; the cause tells what."""

    def __init__(self, waiter: object) -> None:
        super().__init__(f"{waiter}")
        self.waiter = waiter


class Deadlines(Generic[Waiter]):
    """Those who wait *length* seconds; *on_due* is called with each whose time has come, after it has left."""

    __slots__ = ("_due_at", "_on_due", "_on_first", "_unsorted", "length")

    def __init__(
        self, length: float, on_due: Callable[[Waiter], None], on_first: Callable[[float], None] | None = None
    ) -> None:
        """*on_first* is told when the first will be due, whenever one enters an empty queue."""
        self.length = length
        self._on_first = on_first
        self._on_due = on_due
        self._due_at: OrderedDict[Waiter, float] = OrderedDict()
        self._unsorted = False  # since somebody came who had begun to wait elsewhere

    def __len__(self) -> int:
        return len(self._due_at)

    def __contains__(self, waiter: Waiter) -> bool:
        return waiter in self._due_at

    def __iter__(self) -> Iterator[Waiter]:
        """In the order in which they are due."""
        self._sort()
        return iter(self._due_at)

    def enter(self, waiter: Waiter, now: float) -> None:
        """Wait from *now* on. One who waits already starts anew."""
        due_at = self._due_at
        if not due_at and self._on_first is not None:
            self._on_first(now + self.length)
        due_at[waiter] = now + self.length
        due_at.move_to_end(waiter)

    def resume(self, waiter: Waiter, since: float) -> None:
        """Go on with a wait that began elsewhere, at *since*. It may be due at once, though never before `expire`."""
        due = since + self.length
        if self._on_first is not None:
            self._on_first(due)
        self._due_at[waiter] = due
        self._unsorted = True

    def since(self, waiter: Waiter) -> float:
        """When *waiter*, who waits, began to."""
        return self._due_at[waiter] - self.length

    def leave(self, waiter: Waiter) -> None:
        """Wait no longer; one who does not wait may leave too."""
        self._due_at.pop(waiter, None)

    def next_due(self) -> float:
        """When the first is due, or NEVER."""
        self._sort()
        for due in self._due_at.values():
            return due
        return NEVER

    def _sort(self) -> None:
        """Put those in their places who have come from elsewhere: once for many."""
        if self._unsorted:
            self._unsorted = False
            waiting = sorted(self._due_at.items(), key=itemgetter(1))
            self._due_at.clear()
            self._due_at.update(waiting)

    def expire(self, now: float) -> None:
        """Let all whose time has come leave, and call *on_due* with each. Raises DueError when that raises."""
        due_at = self._due_at
        for _ in range(len(due_at)):  # those who enter meanwhile come due another time
            if self.next_due() > now:
                return
            waiter, _due = due_at.popitem(last=False)
            try:
                self._on_due(waiter)
            except Exception as error:
                raise DueError(waiter) from error
