"""The board of a running l4d, opened from outside: to say there what control would say, and to read what is counted.

Only root may (proc_pid_map_files(5)). The columns are found by giving them out once more, in the order the master does.
"""

import os
import time
from pathlib import Path
from typing import Protocol

from l4d.admin import metrics
from l4d.config.load import load
from l4d.linux.process import resident_bytes
from l4d.stats.board import BELL, RETIRED, Board
from l4d.stats.catalogue import Metric
from l4d.stats.columns import Columns
from l4d.stats.numbers import Numbers
from l4d.stats.standing import Standing
from l4d.stats.tally import reserve
from tests.kit.closing import Closing

WORKERS = 2
"""So many has a Daemon whose file does not say."""

CONTROL_ROW = 1
"""The master takes it before any other."""


class Master(Protocol):
    """Whose board it is."""

    @property
    def master(self) -> int: ...

    @property
    def config(self) -> Path: ...


class _Seen(Board):
    """A board that another program has, and that is left as it is."""

    def _note_used(self) -> None:
        """That is its master's to say."""


class BoardOf(Closing):
    """The board of *daemon*, which is in its first generation, or whose first one had the file that is there now."""

    def __init__(self, daemon: Master) -> None:
        self.config = load(str(daemon.config))
        columns = Columns()
        reserve(columns, self.config, self.config.main.workers or WORKERS)
        fd = os.open(_mapping(daemon.master, "memfd:l4d-board"), os.O_RDWR | os.O_CLOEXEC)
        try:
            board = _Seen(left=(fd, -1, -1, -1))
        finally:
            os.close(fd)
        self.numbers = Numbers(board, columns)
        """What is counted, as control would read it."""

    def standing(self, upstream: str, server: str) -> Standing:
        """What control says of a server; to be read, and written."""
        return Standing(self.numbers.board.row(CONTROL_ROW), self.numbers.columns, upstream, server)

    def total(self, metric: Metric, *labels: str) -> int:
        """What all processes have counted, those that are gone too."""
        return self.numbers.board.total(self.numbers.columns.of(metric, *labels))

    def metrics(self) -> str:
        """The text of /metrics, as control would tell it."""
        look = metrics.look(self.numbers, self.config, CONTROL_ROW, time.monotonic(), resident_bytes)
        return metrics.text(look).decode()

    def ring(self) -> None:
        """Workers have to look again: they do with the next client."""
        self.numbers.board.row(RETIRED)[BELL] += 1

    def close(self) -> None:
        """The memory goes with the last who looks at it."""
        del self.numbers


def _mapping(pid: int, name: str) -> Path:
    """The file behind a mapping of the process."""
    for line in Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines():
        if name in line:
            return Path(f"/proc/{pid}/map_files/{line.split()[0]}")
    raise AssertionError(f"process {pid} has no mapping of {name}")
