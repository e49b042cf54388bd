"""The error log: what the operator is told, never at the cost of the traffic.

`error`: someone should get up. `warning`: someone should look tomorrow. `info`: generations, servers going up and down.
`debug`: anything, each session's end among it.
"""

import time
import traceback
from collections.abc import Callable

from l4d.log.sinks import Sink
from l4d.terms import Level

_LOUDNESS = {level: rank for rank, level in enumerate(Level)}

SELDOM_SECONDS = 1.0
SELDOM_KEYS = 1024


class Log:
    """One process's log. *who* names the process in each line."""

    def __init__(self, sink: Sink, level: Level, who: str, on_lost: Callable[[], None] | None = None) -> None:
        """*on_lost* is called for every line that could not be written."""
        self.sink = sink
        self.who = who
        self.level = level
        self._on_lost = on_lost
        self._seldom: dict[str, _Repeats] = {}

    @property
    def debugging(self) -> bool:
        """Whether debug lines are wanted: asked before a costly one is made."""
        return self.level is Level.DEBUG

    def error(self, text: str) -> None:
        self._write(Level.ERROR, text)

    def warning(self, text: str) -> None:
        self._write(Level.WARNING, text)

    def info(self, text: str) -> None:
        self._write(Level.INFO, text)

    def debug(self, text: str) -> None:
        self._write(Level.DEBUG, text)

    def seldom(self, key: str, text: str, level: Level = Level.WARNING) -> None:
        """Write *text*, but at most one line a second for *key*; the next one says how many were left out."""
        left_out = self._admits(key)
        if left_out is not None:
            self._write(level, f"{text} ({left_out} more like it before this)" if left_out else text)

    def bug(self, where: str, error: BaseException | None = None) -> None:
        """*error*, or the exception being handled, is ours: its traceback, whole, at the level of errors."""
        if self._admits("a bug") is None:  # one that comes with every turn would fill the disk
            return
        told = "".join(traceback.format_exception(error)) if error is not None else traceback.format_exc()
        self._write(Level.ERROR, f"a bug in {where}, please report it:\n{told}")

    def _admits(self, key: str) -> int | None:
        """How many lines of *key* were left out before this one, or None to leave this one out too."""
        repeats = self._seldom.get(key)
        if repeats is None:
            if len(self._seldom) >= SELDOM_KEYS:
                self._seldom.clear()
            repeats = self._seldom[key] = _Repeats()
        return repeats.admit(time.monotonic())

    def _write(self, level: Level, text: str) -> None:
        if _LOUDNESS[level] > _LOUDNESS[self.level]:
            return
        if not self.sink.write(level, self.who, text) and self._on_lost is not None:
            self._on_lost()


class _Repeats:
    """How often a line would have been written since it last was."""

    __slots__ = ("left_out", "next_at")

    def __init__(self) -> None:
        self.next_at = 0.0
        self.left_out = 0

    def admit(self, now: float) -> int | None:
        """How many were left out before this one, or None to leave this one out too."""
        if now < self.next_at:
            self.left_out += 1
            return None
        left_out, self.left_out = self.left_out, 0
        self.next_at = now + SELDOM_SECONDS
        return left_out
