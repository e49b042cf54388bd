"""A server's failed dials over all workers, kept on the board.

Each worker writes its own row: when its count began, the count, and until when it has put the server out. A reader sums
the counts that began within the window, and takes the latest of the ends. Times are monotonic milliseconds,
which are the same in every process of the machine.
"""

from l4d.stats.board import Board
from l4d.stats.tally import ServerTally


class SharedFailures:
    """The failures of one server, as one worker counts and all read them. Arguments are seconds."""

    __slots__ = ("_board", "_columns", "_row")

    def __init__(self, board: Board, tally: ServerTally) -> None:
        self._board = board
        self._row = tally.row
        self._columns = tally.failed_since, tally.failed, tally.out_until

    def add(self, now: float, window: float) -> int:
        """Count one failed dial of ours; how many there were within *window* over all workers."""
        since, failed, _ = self._columns
        moment, span = _milliseconds(now), _milliseconds(window)
        row = self._row
        if moment > row[since] + span:
            row[since], row[failed] = moment, 0
        row[failed] += 1
        begun = self._board.read(since)
        counts = self._board.read(failed)
        # Not strict: the master may take or retire a row between the two reads.
        return sum(count for start, count in zip(begun, counts, strict=False) if moment <= start + span)

    def put_out(self, until: float, probation: int) -> None:
        """Tell all workers that the server is out, and begin the next count then, with *probation* fails in it."""
        since, failed, out = self._columns
        row = self._row
        row[out] = row[since] = _milliseconds(until)
        row[failed] = probation
        self._board.ring()

    def out_until(self) -> float:
        """Until when the server is out, as any worker has said."""
        return max(self._board.read(self._columns[2])) / 1000

    def clear(self) -> None:
        """Forget our own failures."""
        self._row[self._columns[1]] = 0


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
