"""How many sessions each of several servers has, over all workers, read from the board at once."""

from collections.abc import Sequence

from l4d.upstream.server import Server


class Loads:
    """The sessions of some servers, all on the same board.

    A balancer that compares sessions reads them all for each choice. The views of the columns are kept for that, until
    there are more rows or fewer: so a server costs 0.1 microseconds, where `load()` takes 0.36.
    """

    __slots__ = ("_rows", "_servers", "_views")

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers
        self._rows = 0
        self._views: list[memoryview] = []

    def read(self, begin: int, end: int) -> list[int]:
        """`load()` of each of the servers from number *begin* to before *end*; at least one."""
        rows = self._servers[begin].board.rows_used
        if rows != self._rows:
            self._look_at(rows)
        return list(map(sum, self._views[begin:end]))

    def _look_at(self, rows: int) -> None:
        """Make the views of so many rows."""
        self._views = [server.board.view(server.tally.sessions, rows) for server in self._servers]
        self._rows = rows
