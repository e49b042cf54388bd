"""Where a session that is over is written down."""

from collections import deque
from dataclasses import replace

import pytest

from l4d.log.access import AccessLog
from l4d.log.log import Log
from l4d.loop.deadlines import Deadlines
from l4d.session.forms import TextForm
from l4d.session.journal import Journal, Newest
from l4d.session.session import Session
from l4d.terms import End, Level
from tests.unit.log.test_access import Written
from tests.unit.making import Clock, Lines, Row, listener


class Kept:
    """A journal with all it writes to."""

    def __init__(self, *, logged: bool = True, level: Level = Level.INFO) -> None:
        self.row, self.clock = Row(), Clock()
        self.outlet, self.sink = Written(), Lines()
        self.outlet.batch = 10_000
        self.newest: Newest = deque(maxlen=2)
        self.due: list[AccessLog] = []
        self.flushes = Deadlines[AccessLog](0.1, self.due.append)
        self.access = AccessLog(self.outlet, lambda _lines: None)
        text = TextForm(listener())
        access = self.access if logged else None
        self.journal = Journal(Log(self.sink, level, "test"), text, self.newest, text, access, self.flushes)
        service = self.row.service(self.clock.as_loop(), self.row.place())
        self.service = replace(service, journal=self.journal)

    def session(self) -> Session:
        return Session(self.service, ("10.0.0.1", 1), 80, 2)

    def ends(self, end: End = End.STOPPED) -> Session:
        session = self.session()
        session.over(end)
        return session


def test_a_session_that_is_over_is_a_line_that_is_flushed_before_long() -> None:
    kept = Kept()
    kept.ends()
    kept.ends()
    assert not kept.outlet.lines
    kept.flushes.expire(kept.clock.now + 0.1)
    assert kept.due == [kept.access]
    kept.access.flush()
    assert [line.partition(b" ")[2] for line in kept.outlet.lines] == [
        b"web tcp 10.0.0.1:1 -> - up=0 down=0 connect=- total=0ms tries=0 end=XD proxy stopped\n"
    ] * 2


def test_the_time_is_that_of_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    session = kept.session()
    kept.clock.now += 5
    monkeypatch.setattr("l4d.session.journal.time.time", lambda: 1764000000.75)
    monkeypatch.setattr("l4d.session.journal.time.monotonic", lambda: kept.clock.now + 0.25)
    session.over(End.FINISHED)
    kept.access.flush()
    assert kept.outlet.lines[0].startswith(b"2025-11-24T15:59:55.500Z web")


def test_nothing_is_written_where_no_log_is_wanted() -> None:
    kept = Kept(logged=False)
    kept.ends()
    assert not len(kept.flushes)
    assert not kept.sink.taken


@pytest.mark.parametrize("logged", [True, False])
def test_at_the_level_of_debug_the_error_log_has_the_line_too(logged: bool) -> None:
    kept = Kept(logged=logged, level=Level.DEBUG)
    kept.ends(End.IDLE)
    [line] = kept.sink.texts
    assert line == "session web tcp 10.0.0.1:1 -> - up=0 down=0 connect=- total=0ms tries=0 end=cD idle timeout"


def test_the_newest_ends_are_remembered() -> None:
    kept = Kept(logged=False)
    kept.ends()
    kept.clock.now += 1
    first = kept.ends(End.IDLE)
    kept.clock.now += 1
    second = kept.ends(End.FINISHED)
    assert list(kept.newest) == [
        (first, End.IDLE, kept.clock.now - 1),
        (second, End.FINISHED, kept.clock.now),
    ]
