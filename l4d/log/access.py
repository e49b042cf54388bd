"""One access log of one process: lines wait here until they are worth a write, or their time has come.

What cannot be written waits on, up to a bound; lines beyond that are dropped and counted. Nothing waits here or raises.
"""

from collections.abc import Callable

from l4d.log.outlets import Outlet

MOST_WAITING = 1 << 20
"""Bytes of lines that may wait."""


class AccessLog:
    """Takes the lines of all listeners that log to one target."""

    def __init__(self, outlet: Outlet, on_lost: Callable[[int], None]) -> None:
        """*on_lost* is called with the number of lines that are not written, or not whole."""
        self._outlet = outlet
        self._on_lost = on_lost
        self._lines: list[bytes] = []
        self._size = 0
        self._worth = outlet.batch  # a write, once so many bytes wait

    def add(self, line: str) -> bool:
        """Take one line, with its newline; True: it is the first that waits, and is to be flushed before long."""
        data = line.encode()
        size = self._size + len(data)
        if size > MOST_WAITING:
            self._on_lost(1)
            return False
        first = not self._lines
        self._lines.append(data)
        self._size = size
        return first if size < self._worth else self.flush() and first

    def flush(self) -> bool:
        """Write what waits, as far as it can be written now; whether anything is left."""
        if not self._lines:
            return False
        taken, lost = self._outlet.put(self._lines)
        self._size -= sum(map(len, self._lines[:taken]))
        del self._lines[:taken]
        if lost:
            self._on_lost(lost)
        self._worth = self._size + self._outlet.batch
        return bool(self._lines)

    def go_on_in(self, fd: int) -> None:
        """The file was opened anew as *fd*, which stays the caller's; what waits goes to the old one, if it can."""
        self.flush()
        self._outlet = self._outlet.go_on_in(fd)

    def give_up(self) -> None:
        """The process ends: what waits is lost."""
        if self._lines:
            self._on_lost(len(self._lines))
            self._lines.clear()
            self._size = 0
