"""A server's failed dials over all workers, kept on the board.

Each worker writes its own row: when its count began, the count, until when it has put the server out, and when the
server has answered after that. A reader sums the counts that began within the window, and takes the latest of the ends.
Times are monotonic milliseconds, which are the same in every process of the machine.

When its time out is over, the server is tried by the worker that put it out; the others wait as long again for what
comes of it, so that it costs one client a retry and not one for each worker.
"""

from l4d.stats.board import Board
from l4d.stats.tally import ServerTally


class SharedFailures:
    """The failures of one server, as one worker counts and all read them. Arguments are seconds."""

    __slots__ = ("_board", "_columns", "_row")

    def __init__(self, board: Board, tally: ServerTally) -> None:
        self._board = board
        self._row = tally.row
        self._columns = tally.failed_since, tally.failed, tally.out_until, tally.recovered

    def add(self, now: float, window: float) -> int:
        """Count one failed dial of ours; how many there were within *window* over all workers."""
        since, failed, _, _ = self._columns
        moment, span = _milliseconds(now), _milliseconds(window)
        row = self._row
        if moment > row[since] + span:
            row[since], row[failed] = moment, 0
        row[failed] += 1
        begun = self._board.read(since)
        counts = self._board.read(failed)
        # Not strict: the master may take or retire a row between the two reads.
        return sum(count for start, count in zip(begun, counts, strict=False) if moment <= start + span)

    def put_out(self, until: float) -> None:
        """Tell all workers that the server is out, and begin the next count then."""
        since, failed, out, _ = self._columns
        row = self._row
        row[out] = row[since] = _milliseconds(until)
        row[failed] = 0
        self._board.ring()

    def out_until(self, length: float) -> float:
        """Until when the server is out for this worker, as any has said. It is put out for *length* each time."""
        _, _, out, recovered = self._columns
        latest, span = max(self._board.read(out)), _milliseconds(length)
        if latest - span < max(self._board.read(recovered)):
            if self._row[out]:  # by us, and another worker has found that it answers
                self._forget_ours()
            return 0.0
        return (latest if latest == self._row[out] else latest + span) / 1000

    def clear(self, now: float, *, was_out: bool) -> None:
        """It has answered: forget our own failures; if it *was_out*, tell all workers that it no longer is."""
        if was_out:
            self.forget(now)
            self._board.ring()
        else:
            self._forget_ours()

    def forget(self, now: float) -> None:
        """Whatever any worker has said before *now* does not hold any more."""
        self._forget_ours()
        self._row[self._columns[3]] = _milliseconds(now)

    def _forget_ours(self) -> None:
        since, failed, out, _ = self._columns
        self._row[since] = self._row[failed] = self._row[out] = 0


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
