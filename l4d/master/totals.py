"""The last words of a master: what all workers have counted, over all reloads and deaths."""

from collections.abc import Iterator

from l4d.stats import catalogue
from l4d.stats.board import Board
from l4d.stats.columns import Columns


def totals(board: Board, columns: Columns) -> Iterator[str]:
    """A line for each listener there ever was, and one for log lines that were lost, if any."""
    for (listener,), column in columns.each(catalogue.SESSIONS_TOTAL):
        up, down = (board.total(columns.of(catalogue.BYTES, listener, way)) for way in catalogue.DIRECTIONS)
        yield f"listeners.{listener}: {board.total(column)} sessions, up={up} down={down} bytes"
    lost = board.total(columns.of(catalogue.LOG_LINES_DROPPED))
    if lost:
        yield f"{lost} log lines could not be written"
