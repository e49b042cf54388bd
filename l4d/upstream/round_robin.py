"""Smooth weighted round robin: each server has had its share of the choices at any time, to less than one.

The rule is that of fair queueing, EEVDF (Stoica and Abdel-Wahab, "Earliest Eligible Virtual Deadline First", Old
Dominion University TR-95-22, 1995). A server with weight w has one turn after the other, each 1/w long; each choice
moves the time on by 1 / (sum of weights), so that there are w choices for each weight w from one whole number to the
next. Chosen is, of those whose turn has begun, the one whose turn ends first; of several the first in order. With
weights 5, 1, 1 that gives a b a a c a a.

    waiting   its turn begins later      ---- by when it begins --->    due, when the time has come
    due       its turn has begun         ---- chosen, or passed --->    waiting for the next one

Two heaps keep that order, so a choice among a thousand costs little more than one among ten. While the members stay
and take sessions, the time is where the turns begin on the average, by weight; so it is found anew when members come or
go, and what somebody was owed or had in advance is made up for once.
"""

import heapq
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

from l4d.upstream.outlook import Outlook
from l4d.upstream.server import Server

UNIT: Final = 232_792_560 << 24
"""The turn of a server with weight 1. All numbers up to 20 divide it, so that turns end together which should."""

SLACK: Final = 1000
"""A turn counts as begun that begins within this part of a choice: room for what rounding does."""

Turn: TypeAlias = tuple[int, int, Server, int]
"""When it begins (while waiting) or ends (while due), the place in order, whose it is, and how long its turns are."""


class RoundRobin:
    """Turns, by weight."""

    __slots__ = ("_due", "_now", "_only", "_skip", "_step", "_waiting")

    def __init__(self, start: int = 0) -> None:
        """The first *start* turns are taken by nobody: of equal servers worker k begins at the k-th."""
        self._waiting: list[Turn] = []
        self._due: list[Turn] = []
        self._now = 0
        self._only: Server | None = None  # where there is but one, nobody else waits for a turn
        self._step = 0  # of the time, with each choice
        self._skip = start

    def fill(self, members: Sequence[Server]) -> None:
        """Those who stay keep their turns, as a part of them if their weight is another; who comes begins one now."""
        self._only = members[0] if len(members) == 1 else None
        known = self._known()
        begins: dict[Server, int] = {}
        for server in members:
            if server in known:
                ahead, length = known[server]
                begins[server] = ahead * _length(server) // length
        self._now = _mean(begins)
        self._due = []
        self._waiting = [
            (begins.get(server, self._now), place, server, _length(server)) for place, server in enumerate(members)
        ]
        heapq.heapify(self._waiting)
        if members:
            self._step = int(UNIT / sum([server.weight for server in members], 0.0))
            for _ in range(self._skip % len(members)):
                self._over(self._next())
            self._skip = 0

    def choose(self, tried: Collection[Server], key: int, now: float) -> Server | None:  # noqa: ARG002 - Balancer
        """One that is full, or on probation, lets its turn pass; one that was tried takes no part in this choice."""
        if self._only is not None:
            return self._only if self._only.takes(tried) else None
        kept: list[Turn] = []
        passing: list[Turn] = []
        while self._due or self._waiting:
            turn = self._next()
            server = turn[2]
            if server in tried:
                kept.append(turn)
            elif server.takes(tried):
                if not kept:
                    self._now = max(self._now, turn[0] - turn[3])  # nobody else can: it is time for this one
                self._over(turn)
                self._put_back(kept)
                self._pass(passing)
                if tried:
                    self._excuse(tried)
                return server
            else:
                passing.append(turn)
        self._put_back(kept + passing)
        return None

    def peek(self, key: int, now: float) -> Outlook | None:
        server = self._copy().choose((), key, now)
        if server is None:
            return None
        return Outlook(server, "next in turn" if self._only is None else "the only one that may be chosen")

    def _copy(self) -> "RoundRobin":
        """One that has the same turns before it."""
        other = RoundRobin()
        other._waiting, other._due = list(self._waiting), list(self._due)
        other._now, other._step, other._only = self._now, self._step, self._only
        return other

    def passed_over(self, server: Server, now: float) -> str:  # noqa: ARG002 - Balancer
        return "its turn comes later"

    def work(self) -> bool:
        return False

    def _next(self) -> Turn:
        """Take out the turn that comes next: of the due ones, or if there is none, of all."""
        waiting, due = self._waiting, self._due
        begun = self._now + self._step // SLACK
        while waiting and (waiting[0][0] <= begun or not due):
            begins, place, server, length = heapq.heappop(waiting)
            heapq.heappush(due, (begins + length, place, server, length))
        return heapq.heappop(due)

    def _over(self, turn: Turn) -> None:
        """The turn was used; the next one of its server begins where it would have ended."""
        self._now += self._step
        heapq.heappush(self._waiting, turn)

    def _put_back(self, turns: Sequence[Turn]) -> None:
        """These turns were not used, and are still due."""
        for turn in turns:
            heapq.heappush(self._due, turn)

    def _pass(self, turns: Sequence[Turn]) -> None:
        """These turns have passed; the next ones do not begin in the past, so that nobody catches up."""
        self._now += self._step * len(turns)
        for ends, place, server, length in turns:
            heapq.heappush(self._waiting, (max(ends, self._now), place, server, length))

    def _excuse(self, tried: Collection[Server]) -> None:
        """The choice was made among the others: it used up their time, and brings those *tried* no nearer to a turn.

        So a server that cannot be dialled is asked once a round, and not by every session that it sends to another.
        """
        others = [turn for turn in (*self._waiting, *self._due) if turn[2] not in tried]
        pause = int(UNIT / sum([turn[2].weight for turn in others], 0.0))
        self._now += pause - self._step
        self._waiting = [_later(turn, pause) if turn[2] in tried else turn for turn in self._waiting]
        self._due = [_later(turn, pause) if turn[2] in tried else turn for turn in self._due]
        heapq.heapify(self._waiting)
        heapq.heapify(self._due)

    def _known(self) -> dict[Server, tuple[int, int]]:
        """Of each member, how far from now its turn begins, and how long it is."""
        now = self._now
        known = {server: (begins - now, length) for begins, _place, server, length in self._waiting}
        known.update({server: (ends - length - now, length) for ends, _place, server, length in self._due})
        return known


def _later(turn: Turn, pause: int) -> Turn:
    moment, place, server, length = turn
    return moment + pause, place, server, length


def _length(server: Server) -> int:
    return round(UNIT / server.weight)


def _mean(begins: dict[Server, int]) -> int:
    """Where turns begin on the average, by weight."""
    if not begins:
        return 0
    weights = sum([server.weight for server in begins], 0.0)
    return round(sum([begin * server.weight for server, begin in begins.items()], 0.0) / weights)
