"""The error log: what is written, what is left out, what is lost."""

import pytest

from l4d.log import log as module
from l4d.log.log import SELDOM_KEYS, Log
from l4d.terms import Level
from tests.unit.making import Clock, Lines


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def sink() -> Lines:
    return Lines()


@pytest.mark.parametrize("level", Level)
def test_lines_as_loud_as_asked_for_are_written(sink: Lines, level: Level) -> None:
    log = Log(sink, level, "master")
    for write in (log.error, log.warning, log.info, log.debug):
        write("text")
    louder = list(Level)[: list(Level).index(level) + 1]
    assert sink.taken == [(loud, "text") for loud in louder]


def test_debug_lines_are_made_only_where_they_are_wanted(sink: Lines) -> None:
    assert Log(sink, Level.DEBUG, "").debugging
    assert not Log(sink, Level.INFO, "").debugging


def test_a_process_names_itself_in_every_line() -> None:
    named: list[str] = []

    class Names(Lines):
        def write(self, level: Level, who: str, text: str) -> bool:
            named.append(who)
            return True

    Log(Names(), Level.INFO, "worker 3").info("text")
    assert named == ["worker 3"]


def test_every_lost_line_is_told_and_nothing_else_happens(sink: Lines) -> None:
    lost: list[int] = []
    log = Log(sink, Level.INFO, "", lambda: lost.append(1))
    log.info("taken")
    sink.broken = True
    log.info("lost")
    log.seldom("key", "lost too")
    log.debug("not wanted, so not lost")
    assert len(lost) == 2
    assert sink.texts == ["taken"]


def test_where_nobody_counts_a_line_is_lost_all_the_same(sink: Lines) -> None:
    sink.broken = True
    Log(sink, Level.INFO, "").error("lost")
    assert not sink.taken


def test_a_seldom_line_is_written_once_a_second_and_says_how_many_were_left_out(sink: Lines, clock: Clock) -> None:
    log = Log(sink, Level.INFO, "")
    for number in range(5):
        log.seldom("full", f"full {number}")
    clock.now += 0.999
    log.seldom("full", "full 5")
    clock.now += 0.001
    log.seldom("full", "full 6")
    clock.now += 1
    log.seldom("full", "full 7")
    assert sink.texts == ["full 0", "full 6 (5 more like it before this)", "full 7"]


def test_seldom_lines_of_different_keys_do_not_hide_each_other(sink: Lines, clock: Clock) -> None:
    log = Log(sink, Level.INFO, "")
    log.seldom("one", "first")
    log.seldom("other", "second", Level.ERROR)
    assert sink.taken == [(Level.WARNING, "first"), (Level.ERROR, "second")]


def test_however_many_keys_there_are_they_take_no_more_memory(sink: Lines, clock: Clock) -> None:
    log = Log(sink, Level.INFO, "")
    for number in range(3 * SELDOM_KEYS):
        log.seldom(f"key {number}", "text")
    assert len(log._seldom) <= SELDOM_KEYS
    assert len(sink.taken) == 3 * SELDOM_KEYS


def test_a_bug_is_told_with_its_traceback(sink: Lines) -> None:
    log = Log(sink, Level.ERROR, "")
    try:
        raise LookupError("what went wrong")
    except LookupError:
        log.bug("a handler")
    [(level, text)] = sink.taken
    assert level is Level.ERROR
    assert text.startswith("a bug in a handler, please report it:\nTraceback")
    assert "LookupError: what went wrong" in text


def test_a_bug_that_was_caught_elsewhere_is_told_with_its_own_traceback(sink: Lines) -> None:
    try:
        raise KeyError("mistake")
    except KeyError as error:
        caught = error
    Log(sink, Level.ERROR, "control").bug("a callback", caught)
    [(level, text)] = sink.taken
    assert level is Level.ERROR
    assert text.startswith("a bug in a callback, please report it:\nTraceback")
    assert "KeyError: 'mistake'" in text


def test_a_bug_that_comes_with_every_turn_is_told_once_a_second() -> None:
    lines = Lines()
    log = Log(lines, Level.INFO, "worker 0")
    for _ in range(3):
        try:
            raise LookupError
        except LookupError:
            log.bug("a handler")
    assert len(lines.taken) == 1
