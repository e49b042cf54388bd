"""An entry of `servers` as one worker sees it: one place, or for a name as many as were ever taken.

A name may have many seats, and uses few of them: a place is made when control first gives its seat to an address.
"""

from collections.abc import Sequence

from l4d.config.model import Server, Upstream
from l4d.stats import catalogue
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.upstream.place import Place


class Places:
    """Makes the places of one entry."""

    __slots__ = ("_board", "_columns", "_entry", "_names", "_places", "_row", "_said", "_taken", "_upstream")

    def __init__(
        self, upstream: Upstream, entry: Server, board: Board, columns: Columns, row: memoryview, said: memoryview
    ) -> None:
        """*row* is the worker's own; *said* is control's."""
        self._upstream = upstream
        self._entry = entry
        self._board = board
        self._columns = columns
        self._row = row
        self._said = said
        self._names = entry.seats
        self._taken = columns.of(catalogue.SEATS_TAKEN, upstream.name, entry.name) if entry.named else 0
        self._places: list[Place] = []

    def now(self) -> Sequence[Place]:
        """Those there are now; there will never be fewer."""
        wanted = self._said[self._taken] if self._taken else 1
        while len(self._places) < wanted:
            name = self._names[len(self._places)]
            place = Place(self._upstream, self._entry, name, self._board, self._columns, self._row, self._said)
            self._places.append(place)
        return self._places
