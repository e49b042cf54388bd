"""A place in an upstream: one entry of its servers, or one address of a name, and who is there now.

A server given by its address is always there. A seat of a name is taken, left and taken again by whatever addresses the
name has, as control says.
"""

from dataclasses import replace

from l4d.address import Inet, Unix
from l4d.config.model import Server as Configured
from l4d.config.model import Upstream
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.failures import SharedFailures
from l4d.stats.picture_servers import Wishes, why_down, why_unwanted
from l4d.stats.seat import Seat
from l4d.stats.standing import Situation, Standing, subject_of
from l4d.stats.tally import ServerTally
from l4d.upstream.server import Server

_NOT_LOOKED = -1
"""In the place of an occupant's number: a worker that is born now knows nothing of those before."""


class Place:
    """One column of servers on the board, as one worker sees it."""

    __slots__ = (
        "_board",
        "_entry",
        "_failures",
        "_known",
        "_name",
        "_number",
        "_seat",
        "_sitting",
        "_standing",
        "_subject",
        "_tally",
        "_upstream",
        "_whole",
        "server",
    )

    def __init__(
        self,
        upstream: Upstream,
        entry: Configured,
        name: str,
        board: Board,
        columns: Columns,
        row: memoryview,
        said: memoryview,
    ) -> None:
        """*row* is the worker's own; *said* is control's."""
        self._upstream = upstream
        self._entry = entry
        self._name = name
        self._board = board
        self._tally = ServerTally(row, columns, upstream.name, name)
        self._standing = Standing(said, columns, upstream.name, name)
        self._whole = Standing(said, columns, upstream.name, entry.name) if entry.named else None
        self._seat = Seat(said, columns, upstream.name, name) if entry.named else None
        self._subject = subject_of(upstream, entry)
        self._known: Situation | None = None  # what was said of this entry, before another had its name
        self._failures = SharedFailures(board, self._tally)
        self._sitting: Server | None = None  # the last occupant
        self._number = _NOT_LOOKED  # of the last occupant
        self.server: Server | None = None
        if isinstance(entry.address, (Inet, Unix)):
            self.server = self._make(entry.address)

    def refresh(self, now: float) -> None:
        """Take over what control and the other workers have said."""
        if self._seat is None:
            assert self.server is not None
            self._tell(self.server, self._entry.weight, now, backup=self._entry.backup, leaving=False)
            return
        occupant = self._seat.read()
        if occupant is None:
            self.server, self._number = None, max(self._number, 0)
            return
        if self._sitting is None or (occupant.number, occupant.address) != (self._number, self._sitting.address):
            if self._number != _NOT_LOOKED:  # what was said of this place was said of another address
                self._failures.forget(now)
            self._sitting, self._number = self._make(occupant.address), occupant.number
        self.server = self._sitting
        backup = occupant.backup or self._entry.backup
        self._tell(self._sitting, occupant.weight, now, backup=backup, leaving=occupant.leaving)

    def why_closed(self) -> str:
        """What is to be said against whoever is here; to be asked while it is not open."""
        occupant = self._seat.read() if self._seat is not None else None
        if occupant is not None and occupant.leaving:
            return "its address has gone from DNS"
        wishes = Wishes(*self._standing.wishes(self._entry, self._whole))
        situation = self._situation(self._entry.weight)
        return why_unwanted(self._entry, situation, wishes) or why_down(self._upstream, situation)

    def _make(self, address: Inet | Unix) -> Server:
        named = self._seat is not None
        return Server(self._upstream, self._name, address, self._failures, self._tally, self._board, named=named)

    def _tell(self, server: Server, weight: int, now: float, *, backup: bool, leaving: bool) -> None:
        server.refresh(self._situation(weight), now, backup=backup, leaving=leaving)

    def _situation(self, weight: int) -> Situation:
        situation = self._standing.read(self._entry, weight, self._whole, self._subject)
        if self._standing.is_of(self._subject):
            self._known = situation
        elif self._known is not None:  # the name is another's from the next generation on: we go by what we knew
            situation = replace(situation, verdict=self._known.verdict, up_since=self._known.up_since)
        return situation
