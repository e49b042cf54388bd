"""Whether what l4d counts ever goes back, read from its board while it works."""

import shutil
from pathlib import Path

from l4d.stats import catalogue
from l4d.stats.catalogue import Metric
from tests.chaos.target import Target
from tests.kit.board import BoardOf
from tests.kit.programs import IS_ROOT

_WATCHED: list[tuple[Metric, tuple[str, ...]]] = [
    *((catalogue.SESSIONS_TOTAL, (listener,)) for listener in ("echo", "flows", "stream", "postgres")),
    *((catalogue.BYTES, (listener, way)) for listener in ("echo", "stream") for way in catalogue.DIRECTIONS),
    *((catalogue.DATAGRAMS, ("flows", way)) for way in catalogue.DIRECTIONS),
]


class Counters:
    """Those of one l4d, whichever process is its master. Only root may look."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.config = Path(shutil.copy(target.config, folder / "first.toml"))
        """The file of the first generation: it says which column is whose."""
        self.master = target.pid
        self.looks = 0
        self.went_back: list[str] = []
        self._target = target
        self._board = BoardOf(self) if IS_ROOT else None
        self._seen = [0] * len(_WATCHED)

    def look(self) -> None:
        """Read them all, and note which are less than before."""
        self._follow()
        if not self._board:
            return
        now = [self._board.total(metric, *labels) for metric, labels in _WATCHED]
        for (metric, labels), before, count in zip(_WATCHED, self._seen, now, strict=True):
            if count < before:
                self.went_back.append(f"{metric.name}{list(labels)} went from {before} back to {count}")
        self._seen = now
        self.looks += 1

    def _follow(self) -> None:
        """The board is that of the master that is there now, once it has one."""
        if not self._board or self._target.pid == self.master:
            return
        before, self.master = self.master, self._target.pid
        try:
            board = BoardOf(self)
        except (AssertionError, FileNotFoundError, ProcessLookupError):
            self.master = before
            return
        self._board.close()
        self._board = board
