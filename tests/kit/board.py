"""The board of a running l4d, opened from outside: to say there what control would say, and to read what is counted.

Only root may (proc_pid_map_files(5)). The columns are found by giving them out once more, in the order the master does.
"""

import mmap
import os
from pathlib import Path
from typing import Protocol

from l4d.config.load import load
from l4d.stats.board import COLUMNS, FOLDS, PATIENCE, ROWS, ROWS_USED
from l4d.stats.catalogue import Metric
from l4d.stats.columns import Columns
from l4d.stats.standing import Standing
from l4d.stats.tally import reserve
from tests.kit.closing import Closing

CONTROL_ROW = 1
"""The master takes it before any other."""


class Master(Protocol):
    """Whose board it is."""

    @property
    def master(self) -> int: ...

    @property
    def config(self) -> Path: ...


class BoardOf(Closing):
    """The board of *daemon*, which is in its first generation, or whose first one had the file that is there now."""

    def __init__(self, daemon: Master) -> None:
        self.config = load(str(daemon.config))
        self._columns = Columns()
        reserve(self._columns, self.config)
        fd = os.open(_mapping(daemon.master, "memfd:l4d-board"), os.O_RDWR | os.O_CLOEXEC)
        try:
            self._memory = mmap.mmap(fd, ROWS * COLUMNS * 8)
        finally:
            os.close(fd)
        self._words = memoryview(self._memory).cast("Q")

    def standing(self, upstream: str, server: str) -> Standing:
        """What control says of a server; to be read, and written."""
        row = self._words[CONTROL_ROW * COLUMNS : (CONTROL_ROW + 1) * COLUMNS]
        return Standing(row, self._columns, upstream, server)

    def total(self, metric: Metric, *labels: str) -> int:
        """What all processes have counted, those that are gone too."""
        column = self._columns.of(metric, *labels)
        for _ in range(PATIENCE):
            folds = self._words[FOLDS]
            total = sum(self._words[column : self._words[ROWS_USED] * COLUMNS : COLUMNS].tolist())
            if folds % 2 == 0 and folds == self._words[FOLDS]:
                return total
        raise AssertionError("a fold of the board does not end")

    def ring(self) -> None:
        """Workers have to look again: they do with the next client."""
        self._words[1] += 1

    def close(self) -> None:
        self._words.release()
        self._memory.close()


def _mapping(pid: int, name: str) -> Path:
    """The file behind a mapping of the process."""
    for line in Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines():
        if name in line:
            return Path(f"/proc/{pid}/map_files/{line.split()[0]}")
    raise AssertionError(f"process {pid} has no mapping of {name}")
