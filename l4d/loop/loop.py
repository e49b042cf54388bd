"""The epoll loop: who is called when a descriptor is ready, or when a time has come.

Level-triggered: an event is told again until it is dealt with, so bounded work per event starves nobody.

A socket is closed at the end of the batch, never inside it. epoll_wait hands over many events at once;
if one handler closed fd 9 and another accepted a client that the kernel numbered 9, the next event of
the same batch would reach the newcomer. Until the batch is over the number stays taken.

Interest is exact: a descriptor from which nothing is wanted is out of the epoll set (`forget`), because EPOLLHUP comes
unasked, and a hung-up socket that nobody reads would spin the loop.

The table of handlers owns the bound methods, the objects do not: no reference cycle is born here.

Falling asleep between two pieces of a bulk transfer makes the sender wake us for each, which costs more than the piece.
So whoever moves bulk asks the loop to `linger`: before it sleeps it lets others run, and looks again.
"""

import os
import select
import time
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from l4d.loop.deadlines import NEVER, Deadlines, DueError

IN: Final = select.EPOLLIN
RDHUP: Final = select.EPOLLRDHUP
OUT: Final = select.EPOLLOUT
ERR: Final = select.EPOLLERR
GONE: Final = select.EPOLLHUP | select.EPOLLERR
"""Told unasked: the connection is over on both sides, or has failed."""

EXCLUSIVE = select.EPOLLEXCLUSIVE
EDGE = select.EPOLLET
"""Told once for each thing that happens, whether or not it is read; for what nobody reads."""

Handler: TypeAlias = Callable[[int], object]
"""Called with the event mask of its descriptor; what it gives back is of no interest."""

T = TypeVar("T")

BATCH: Final = 256
"""Events taken in one turn at the most."""

LINGER: Final = 3
"""So many times it is looked again before a loop that was asked to linger sleeps."""


class Closable(Protocol):
    def close(self) -> None: ...


class Loop:
    """One process's loop. `now` is the monotonic time at the start of the turn, in seconds."""

    def __init__(
        self, on_bug: Callable[[object], None] | None = None, observe: Callable[[float], None] | None = None
    ) -> None:
        """*on_bug* is called, inside the except clause, with the object whose handler or deadline raised.

        Without it the exception leaves `run`. *observe* is told after each turn how many seconds it took, the wait
        for events left out.
        """
        self.now = time.monotonic()
        self._ended = self.now  # when the last turn did: read once, for its length and for how long the next one waits
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._queues: list[Deadlines[Any]] = []
        self._next_due = NEVER  # never later than the earliest deadline; touching may leave it too early
        self._at_end: list[Callable[[], None]] = []
        self._running = False
        self._lingering = False
        self._on_bug = on_bug
        self._observe = observe

    def watch(self, fd: int, mask: int, handler: Handler) -> None:
        """Call *handler* when *fd* is ready as *mask* says."""
        self._epoll.register(fd, mask)
        self._handlers[fd] = handler

    def want(self, fd: int, mask: int, handler: Handler) -> None:
        """From now on call *handler* for *mask*, whether *fd* is watched already or not; a mask of 0 forgets it."""
        if not mask:
            self.forget(fd)
        elif fd in self._handlers:
            self._epoll.modify(fd, mask)
            self._handlers[fd] = handler
        else:
            self.watch(fd, mask, handler)

    def forget(self, fd: int) -> None:
        """Out of the epoll set; the descriptor lives on."""
        if self._handlers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def close(self, sock: Closable, fd: int) -> None:
        """Close *sock*, whose descriptor is *fd*, at the end of the batch; no event of it is told any more.

        Closing the last copy of a descriptor takes it out of the epoll set, which saves a system call. What is shared
        with another process must be forgotten first.
        """
        self._handlers.pop(fd, None)
        self._at_end.append(sock.close)

    def at_end(self, call: Callable[[], None]) -> None:
        """Call *call* once at the end of the batch, after what was to be closed before is closed."""
        self._at_end.append(call)

    def linger(self) -> None:
        """More is about to come: do not sleep at once when this turn is over."""
        self._lingering = True

    def queue(self, length: float, on_due: Callable[[T], None]) -> Deadlines[T]:
        """A new queue for those who wait *length* seconds for *on_due*. It lives as long as the loop."""
        queue = Deadlines(length, on_due, self._due)
        self._queues.append(queue)
        return queue

    def _due(self, when: float) -> None:
        self._next_due = min(self._next_due, when)

    def stop(self) -> None:
        """Leave `run` at the end of this turn."""
        self._running = False

    def run(self) -> None:
        """Turn until `stop`."""
        self._running = True
        self._ended = time.monotonic()
        while self._running:
            self.turn()

    def turn(self) -> None:
        """Wait for events or the next deadline, tell the handlers, then close what was given to `close`."""
        events = self._look_again() if self._lingering else None
        if not events:
            wait = self._next_due - self._ended
            events = self._epoll.poll(-1 if wait == NEVER else max(0, wait), BATCH)
        self.now = now = time.monotonic()
        handlers = self._handlers
        for fd, mask in events:
            handler = handlers.get(fd)
            if handler is None:
                continue
            try:
                handler(mask)
            except Exception:  # ours, never the network's: one session is lost, the process lives
                if self._on_bug is None:
                    raise
                self._on_bug(getattr(handler, "__self__", handler))
        if now >= self._next_due:
            self._expire(now)
        if self._at_end:
            self._end_batch()
        self._ended = ended = time.monotonic()
        if self._observe is not None:
            self._observe(ended - now)

    def _look_again(self) -> list[tuple[int, int]]:
        """Events that come while others are given the CPU, if they come soon."""
        self._lingering = False
        for _ in range(LINGER):
            os.sched_yield()
            events = self._epoll.poll(0, BATCH)
            if events:
                return events
        self._ended = time.monotonic()  # the others may have had the CPU for a while
        return []

    def _expire(self, now: float) -> None:
        self._next_due = NEVER
        for queue in self._queues:
            try:
                queue.expire(now)
            except DueError as error:  # ours, as above; who else is due comes with the next turn
                if self._on_bug is None:
                    raise
                self._on_bug(error.waiter)
        for queue in self._queues:
            self._next_due = min(self._next_due, queue.next_due())

    def _end_batch(self) -> None:
        calls, self._at_end = self._at_end, []
        for call in calls:
            call()

    def shut(self) -> None:
        """Close what waits to be closed, and the epoll descriptor."""
        self._end_batch()
        self._epoll.close()
