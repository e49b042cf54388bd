"""The access logs of a worker: one a target, flushed before long, and once more when it ends."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from l4d.config import model
from l4d.log.log import Log
from l4d.log.outlets import Outlet, Taken
from l4d.session.session import Session
from l4d.terms import End, Level
from l4d.worker import journals as module
from l4d.worker.journals import FLUSH_SECONDS, RETRY_SECONDS, Journals
from tests.unit.log.test_access import Written
from tests.unit.making import Lines, NeverWaiting, Row, config_of, listener, upstream


class Office:
    """The journals of one worker, and sessions for them."""

    def __init__(self, access: str = "/var/log/all", targets: Sequence[str] = (), form: str = "$listener") -> None:
        config = config_of(upstream())
        self.config = replace(config, log=replace(config.log, access=access, format=form))
        self.loop = NeverWaiting()
        self.row = Row()
        self.lost: list[int] = []
        self.outlets = {target: Written() for target in (targets or [access])}
        for outlet in self.outlets.values():
            outlet.batch = 10_000
        opened: dict[str, Outlet] = {**self.outlets}
        log = Log(Lines(), Level.INFO, "worker")
        self.journals = Journals(self.config, (2, 5), opened, self.loop, log, self.lost.append)

    def end_one(self, name: str = "web", **settings: Any) -> None:
        """A session of this listener begins and ends."""
        which: model.Listener = listener(name=name, **settings)
        service = self.row.service(self.loop, listener=which)
        journal = self.journals.of(which, service.upstream)
        Session(replace(service, journal=journal), "", 0, 2).over(End.STOPPED)

    def wait(self, seconds: float) -> None:
        """So long, as the loop sees it."""
        self.loop.now += seconds
        self.loop._expire(self.loop.now)

    def written(self, target: str = "/var/log/all") -> str:
        return b"".join(self.outlets[target].lines).decode().replace("\n", " ").strip()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody sleeps; how long they wanted to."""
    slept: list[float] = []
    monkeypatch.setattr("l4d.worker.journals.time.sleep", slept.append)
    return slept


def test_a_line_is_written_before_long() -> None:
    office = Office()
    office.end_one()
    office.wait(FLUSH_SECONDS / 2)
    office.end_one()
    assert not office.written()
    office.wait(FLUSH_SECONDS / 2)
    assert office.written() == "web web"
    office.wait(FLUSH_SECONDS)
    assert office.outlets["/var/log/all"].calls == 1


def test_what_is_not_taken_is_tried_again_soon() -> None:
    office = Office()
    outlet = office.outlets["/var/log/all"]
    outlet.room = 0
    office.end_one()
    office.wait(FLUSH_SECONDS)
    office.wait(RETRY_SECONDS)
    office.wait(RETRY_SECONDS)
    assert outlet.calls == 3
    outlet.room = 9
    office.wait(RETRY_SECONDS)
    assert office.written() == "web"
    office.wait(RETRY_SECONDS)
    assert outlet.calls == 4


def test_listeners_with_one_target_share_it_and_others_have_their_own_or_none() -> None:
    office = Office(targets=["/var/log/all", "/var/log/mine"])
    office.end_one("one")
    office.end_one("two", access_log="/var/log/mine")
    office.end_one("three", access_log="/var/log/all")
    office.end_one("four", access_log="off")
    office.wait(FLUSH_SECONDS)
    assert office.written() == "one three"
    assert office.written("/var/log/mine") == "two"


def test_without_an_access_log_only_listeners_that_ask_for_one_have_it() -> None:
    office = Office(access="off", targets=["/var/log/mine"])
    office.end_one("one")
    office.end_one("two", access_log="/var/log/mine")
    office.wait(FLUSH_SECONDS)
    assert office.written("/var/log/mine") == "two"


def test_a_listener_that_the_file_no_longer_has_goes_on_where_all_are_logged() -> None:
    """Its own file is open no more."""
    office = Office()
    office.end_one("gone", access_log="/var/log/gone")
    office.end_one("off", access_log="off")
    office.wait(FLUSH_SECONDS)
    assert office.written() == "gone"


def test_slot_and_generation_are_told() -> None:
    office = Office(form="$worker $generation")
    office.end_one()
    office.wait(FLUSH_SECONDS)
    assert office.written() == "2 5"


def test_the_newest_ends_of_all_listeners_are_remembered() -> None:
    office = Office(access="off", targets=["/var/log/mine"])
    for name in ("one", "two"):
        office.end_one(name)
    assert [session.service.listener.name for session, _end, _now in office.journals.newest] == ["one", "two"]
    for _ in range(100):
        office.end_one("many")
    assert len(office.journals.newest) == module.NEWEST


def test_a_file_that_was_opened_anew_is_that_of_its_number() -> None:
    office = Office(targets=["/var/log/all", "/var/log/mine"])
    office.end_one("one")
    office.end_one("two", access_log="/var/log/mine")
    office.journals.go_on_in(1, 0)
    office.end_one("three", access_log="/var/log/mine")
    office.wait(FLUSH_SECONDS)
    assert office.written() == "one"
    assert office.written("/var/log/mine") == "two"
    assert office.outlets["/var/log/mine"].next.lines == [b"three\n"]


def test_at_the_end_all_that_waits_is_written_at_once(naps: list[float]) -> None:
    office = Office(targets=["/var/log/all", "/var/log/mine"])
    office.end_one("one")
    office.end_one("two", access_log="/var/log/mine")
    office.journals.end()
    assert (office.written(), office.written("/var/log/mine")) == ("one", "two")
    assert not naps
    assert not office.lost


class Slow(Written):
    """Takes a line with each second call."""

    def put(self, lines: Sequence[bytes]) -> Taken:
        self.room = self.calls % 2
        return super().put(lines)


def test_at_the_end_a_pipe_is_given_a_moment_and_what_it_does_not_take_then_is_lost(naps: list[float]) -> None:
    office = Office()
    slow = Slow()
    slow.batch = 10_000
    log = Log(Lines(), Level.INFO, "worker")
    office.journals = Journals(office.config, (0, 1), {"/var/log/all": slow}, office.loop, log, office.lost.append)
    for _ in range(10):
        office.end_one()
    office.journals.end()
    assert slow.lines == [b"web\n"] * 2
    assert naps == [RETRY_SECONDS] * 4
    assert office.lost == [8]
