"""The processes of the next program before it is l4d: who they are, where they write, that they are gone."""

import contextlib
import os
import signal
from collections.abc import Callable, Collection

from l4d.loop.loop import IN, Loop
from l4d.master.estate import Estate


class Strangers:
    """They are no children of ours; we have a descriptor of each, which tells when it is gone."""

    def __init__(self, loop: Loop, estate: Estate, ours: Collection[int], on_gone: Callable[[], None]) -> None:
        """*ours* are the rows that they leave alone; *on_gone* is called when one of them is gone."""
        self._loop = loop
        self._estate = estate
        self._may_write = set(range(estate.board.rows)).difference(ours)
        self._on_gone = on_gone
        self._pidfds: set[int] = set()
        self._rows: set[int] = set()
        self._columns = 0

    @property
    def alive(self) -> bool:
        return bool(self._pidfds)

    def write(self, row: int, columns: int) -> None:
        """One of them writes *row*, which may be control's, and no columns from *columns* on."""
        self._columns = max(self._columns, min(columns, self._estate.board.columns))
        self._rows.update({row} & self._may_write)

    def born(self, pidfd: int) -> None:
        """One more; its descriptor is ours from here on."""
        self._pidfds.add(pidfd)
        self._loop.watch(pidfd, IN, lambda _mask: self._on_exit(pidfd))

    def kill(self) -> None:
        for pidfd in self._pidfds:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def forget(self) -> None:
        """They are the next master's alone."""
        for pidfd in list(self._pidfds):
            self._close(pidfd)

    def clear_up(self) -> None:
        """They are all gone: the board is as if they had never been, but for what they have counted."""
        estate = self._estate
        board, columns = estate.board, estate.columns
        board.take_back(self._rows)
        for row in self._rows:
            board.retire_row(row, columns.counters(), max(columns.used, self._columns))
        board.forget([*columns.free, *range(columns.used, self._columns)])

    def _on_exit(self, pidfd: int) -> None:
        self._close(pidfd)
        self._on_gone()

    def _close(self, pidfd: int) -> None:
        self._loop.forget(pidfd)
        os.close(pidfd)
        self._pidfds.remove(pidfd)
