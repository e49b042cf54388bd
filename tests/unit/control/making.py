"""What control works with, in its own process: its row of the board, a book, checks that ask nobody."""

import os
from typing import Any, cast

from l4d.address import Inet
from l4d.config import model
from l4d.config.model import Upstream
from l4d.control.book import Book
from l4d.control.checks import Checks
from l4d.health.checker import Checker
from l4d.health.probe import Known, Target
from l4d.log.log import Log
from l4d.stats.columns import Columns
from l4d.stats.standing import Standing
from l4d.terms import Level
from tests.unit.making import Lines, OwnBoard, Row, config_of, member, upstream

COLUMNS = 1 << 13
"""A name has 64 servers, and each of them some forty columns."""

HERE = Inet("10.0.0.1", 5432)
THERE = Inet("10.0.0.2", 5432)


class Asking:
    """A checker that only remembers whom it is to ask."""

    def __init__(self) -> None:
        self.asked: dict[Target, Known] = {}
        self.closed = False

    def watch(self, target: Target, known: Known) -> None:
        assert target not in self.asked
        self.asked[target] = known

    def forget(self, target: Target) -> None:
        del self.asked[target]

    async def close(self) -> None:
        self.closed = True

    def as_checker(self) -> Checker:
        return cast(Checker, self)

    @property
    def addresses(self) -> dict[str, str]:
        """Where each server is asked."""
        return {target.server: str(target.address) for target in self.asked}


class Desk:
    """Control's row, and that of a worker; a book for the upstream "db"; a log that is a list."""

    def __init__(self, *entries: model.Server, level: Level = Level.DEBUG, **settings: Any) -> None:
        self.row = Row(OwnBoard(rows=8, columns=COLUMNS), Columns(COLUMNS))
        self.sink = Lines()
        self.log = Log(self.sink, level, "control")
        self.upstream = upstream(servers=entries or (member(),), **settings)
        self.book = self.open_book(self.upstream)
        self.asking = Asking()
        self.checks = Checks(self.upstream, self.book, self.asking.as_checker())
        self.rings()

    def open_book(self, config: Upstream) -> Book:
        """As the control process of a generation with this upstream has it."""
        return Book(config_of(config), self.row.board, self.row.columns, self.row.said, self.log)

    def rings(self) -> int:
        """How often the bell was rung since this was asked the last time."""
        try:
            return os.eventfd_read(self.row.board.bell_fd)
        except BlockingIOError:
            return 0

    def standing(self, server: str = "one") -> Standing:
        return Standing(self.row.said, self.row.columns, "db", server)

    @property
    def lines(self) -> list[str]:
        """What was told since this was asked the last time, each with its level."""
        taken = [f"{level.value}: {text}" for level, text in self.sink.taken]
        self.sink.taken.clear()
        return taken


def target(server: str = "one") -> Target:
    return Target("db", server, HERE)
