"""Being asked: control wants to know what sessions there are here, or wants some ended.

The worker calls control (linux/calls.py) when it begins to serve, and again when the connection has ended: control may
have died, or another one may follow it. A message is a JSON object (handover/link.py).

    control -> worker   {"id": 7, "ask": "sessions", "filter": {...}, "limit": 1000}
                        {"id": 7, "ask": "kill", "filter": {...}, "time": 812.5}
                        {"id": 7, "ask": "newest", "limit": 50}
                        {"id": 7, "ask": "explain", "listener": "web", "client": ["10.0.0.7", 51812]}
    worker -> control   {"id": 7, "items": [...]}   as often as needed
                        {"id": 7, "done": {...}}    last: {"total": 3}, {"killed": 3}, an answer; {"error": "why"}

Whoever does not know what is asked says so, and keys that are not known are passed over: the two may be of different
versions. Inquiries are dealt with one after the other, a small piece in each turn, and no further than the link takes
what there is to say.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from l4d.handover.link import Link
from l4d.handover.record import Json, RecordError
from l4d.linux import calls
from l4d.linux.messages import close_all
from l4d.log.log import Log
from l4d.loop.loop import IN, OUT, Loop
from l4d.worker.assignment import WorkerAssignment

PIECE: Final = 0.002
"""Seconds of work in a turn."""

SOON: Final = 0.1
"""A connection that has lasted for less is made again with the next heartbeat, else at once."""

Errand: TypeAlias = Iterator[Json | None]
"""An inquiry being dealt with: what is to be said, and None after each step that was small."""


class Inquiry:
    """The connection to control, and what it has asked."""

    def __init__(self, assignment: WorkerAssignment, loop: Loop, log: Log, errand: Callable[[Json], Errand]) -> None:
        """*errand* takes an inquiry up; it raises ValueError, KeyError or TypeError: it is none that can be."""
        self._name = assignment.inquiries
        self._loop = loop
        self._log = log
        self._errand = errand
        self._link: Link | None = None
        self._called_at = 0.0
        self._errands: deque[tuple[object, Errand]] = deque()
        self._pieces = loop.queue(0.0, Inquiry._work)

    def call(self) -> None:
        """Be there to be asked, from now on or again. If there is no room, another time."""
        if self._link is not None:
            return
        try:
            self._link = Link(calls.call(self._name))
        except OSError:  # nobody answers, and many have called; or there is no descriptor left
            return
        self._called_at = self._loop.now
        self._loop.watch(self._link.fileno(), IN, self._on_link)

    def _on_link(self, mask: int) -> None:
        link = self._link
        assert link is not None  # it is watched
        try:
            if mask & OUT:
                link.flush()
            message = link.receive() if mask & ~OUT else None
        except RecordError as error:
            self._log.error(f"being asked: {error}")
            self._lose()
            return
        except OSError:  # control is gone
            self._lose()
            if self._loop.now - self._called_at >= SOON:
                self.call()
            return
        if message is not None:
            close_all(message.descriptors)  # none is due
            self._errands.append((message.head.get("id"), self._begin(message.head)))
        self._go_on()

    def _lose(self) -> None:
        link, self._link = self._link, None
        assert link is not None  # it is lost once
        self._errands.clear()
        self._loop.forget(link.fileno())
        self._loop.at_end(link.close)

    def _begin(self, ask: Json) -> Errand:
        """What is to be said to it. Whatever is wrong with the inquiry is said, too."""
        try:
            yield from self._errand(ask)
        except (ValueError, KeyError, TypeError) as error:
            yield {"done": {"error": f"{error}"}}

    def _go_on(self) -> None:
        """Work when it is this one's turn, if there is anything to do, and the link takes what is said."""
        link = self._link
        if link is None:
            return
        self._loop.want(link.fileno(), IN | OUT if link.clogged else IN, self._on_link)
        if self._errands and not link.clogged:
            self._pieces.enter(self, self._loop.now)

    def _work(self) -> None:
        until = time.monotonic() + PIECE
        while self._errands and self._link is not None and not self._link.clogged and time.monotonic() < until:
            number, errand = self._errands[0]
            try:
                said = next(errand, _DONE)
            except Exception:  # ours: this inquiry is given up, the others are not
                self._log.bug("being asked")
                said = {"done": {"error": "a bug was met"}}
            if said is _DONE:
                self._errands.popleft()
            elif said is not None:
                self._say(self._link, {"id": number, **said})
        self._go_on()

    def _say(self, link: Link, head: Json) -> None:
        try:
            link.send(head)
        except OSError:
            self._errands.clear()  # its end is told as an event


_DONE: Final[Json] = {}
"""Stands for the end of an errand."""
