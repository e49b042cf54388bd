"""Control at work: what its master says, what workers knock for, and how it leaves. The test is the master."""

import asyncio
import itertools
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, TypeAlias, cast

import pytest

from l4d.address import Host, Inet
from l4d.child import channel
from l4d.child.assignment import Assignment
from l4d.config import model
from l4d.control import book as book_module
from l4d.control import control as control_module
from l4d.control.assignment import ControlAssignment
from l4d.control.control import HEARTBEAT_SECONDS, KNOCK_SECONDS, Control
from l4d.linux import calls
from l4d.log.log import Log
from l4d.names.found import Found
from l4d.names.watch import Told
from l4d.stats import catalogue
from l4d.stats.changes import Changes
from l4d.stats.columns import Columns
from l4d.stats.seat import Seat
from l4d.stats.standing import Standing, Verdict
from l4d.stats.tally import ServerTally
from l4d.terms import CheckType, Level
from tests.kit.wait import TIMEOUT
from tests.unit.control.making import COLUMNS
from tests.unit.making import CHECKED, CONTROL, NO_CHECK, Lines, OwnBoard, Row, config_of, is_told, member, upstream

TCP = replace(CHECKED, type=CheckType.TCP, interval=0.05)
NAMED = member(name="db.test:80", address=Host("db.test", 80))


class Resolver:
    """Stands in for names.watch.Names: it says what the test says."""

    def __init__(self, settings: object, log: object, chance: object, on_query: Callable[[str], None]) -> None:
        self.told: dict[str, Told] = {}
        self.again_for: list[str] = []
        self.on_query = on_query
        self.closed = False

    def watch(self, entry: model.Server, told: Told) -> None:
        self.told[entry.name] = told

    def again(self, entry: model.Server) -> None:
        self.again_for.append(entry.name)

    async def close(self) -> None:
        self.closed = True


class Stage:
    """A control process within this one."""

    def __init__(self, stack: ExitStack, *upstreams: model.Upstream) -> None:
        self.row = Row(OwnBoard(rows=8, columns=COLUMNS), Columns(COLUMNS))
        self.sink = Lines()
        self.master, theirs = channel.pair()
        stack.enter_context(theirs)
        stack.enter_context(self.master)
        config = config_of(*upstreams)
        row = self.row
        common = Assignment(
            1, config, None, row.board, row.columns, CONTROL, CONTROL, theirs, self.sink, os.getpid(), False
        )
        self.inquiries = stack.enter_context(calls.listen())
        assignment = ControlAssignment.of(common, self.inquiries, (), {}, Changes())
        self.control = Control(assignment, Log(self.sink, Level.DEBUG, "control"))
        self.status: int | None = None  # its exit status, when it has left

    async def run(self) -> None:
        self.status = await self.control.run()

    def says(self, word: bytes, *descriptors: int) -> None:
        channel.say(self.master, word, *descriptors)

    def hears(self) -> bytes:
        heard = channel.hear(self.master)
        return heard[0] if heard else b""

    def verdict(self, server: str = "one", upstream: str = "db") -> Verdict:
        return Standing(self.row.said, self.row.columns, upstream, server).verdict

    @property
    def resolver(self) -> Resolver:
        return cast(Resolver, self.control._names)

    @property
    def heartbeat(self) -> int:
        return self.row.said[self.row.columns.of(catalogue.HEARTBEAT)]


Conversation: TypeAlias = Callable[[Stage], Awaitable[None]]


async def until(what: str, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, f"in vain until {what}"
        await asyncio.sleep(0.005)


def play(
    conversation: Callable[[Stage], Awaitable[None]],
    *upstreams: model.Upstream,
    stop: bytes = channel.STOP,
    status: int = 0,
) -> None:
    """Run control beside *conversation*, and have it leave with *status* at the end."""

    async def both(stage: Stage) -> None:
        running = asyncio.ensure_future(stage.run())
        await until("it is ready", lambda: stage.hears() == channel.READY)
        await conversation(stage)
        if stop:
            stage.says(stop)
        await asyncio.wait_for(running, TIMEOUT)
        assert stage.status == status

    with ExitStack() as stack:
        asyncio.run(both(Stage(stack, *upstreams)))


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "Names", Resolver)


@pytest.fixture
def server() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def checked(sock: socket.socket, **changes: Any) -> model.Upstream:
    return upstream(servers=(member(address=Inet(*sock.getsockname())),), check=replace(TCP, **changes))


def test_it_does_nothing_before_it_is_told_to_go(server: socket.socket) -> None:
    async def conversation(stage: Stage) -> None:
        await asyncio.sleep(0.1)
        assert stage.verdict() is Verdict.UNKNOWN
        assert stage.heartbeat == 0
        assert not is_told(stage.row.board.bell_fd)
        stage.says(channel.GO)
        await until("it has asked", lambda: stage.verdict() is Verdict.UP)

    play(conversation, checked(server))


def test_a_server_that_fails_is_down_and_one_that_is_well_is_up(server: socket.socket) -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it is up", lambda: stage.verdict() is Verdict.UP)
        server.close()
        await until("it is down", lambda: stage.verdict() is Verdict.DOWN)
        assert "server db/one is down: 2 checks failed, the last: connection refused" in stage.sink.texts

    play(conversation, checked(server, fall=2))


def test_its_heart_beats_while_it_is_at_work() -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it beats", lambda: stage.heartbeat)
        first = stage.heartbeat
        assert abs(first / 1000 - time.monotonic()) < HEARTBEAT_SECONDS + 5
        await until("it beats again", lambda: stage.heartbeat > first)

    play(conversation, upstream(check=NO_CHECK))


@pytest.mark.parametrize("told_to_go", [True, False])
def test_it_leaves_when_it_is_told_to(server: socket.socket, told_to_go: bool) -> None:
    async def conversation(stage: Stage) -> None:
        if told_to_go:
            stage.says(channel.GO)
            await until("it has asked", lambda: stage.verdict() is Verdict.UP)

    play(conversation, checked(server))


def test_it_leaves_when_its_master_is_gone(server: socket.socket) -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it has asked", lambda: stage.verdict() is Verdict.UP)
        stage.master.close()

    play(conversation, checked(server), stop=b"")


def test_it_leaves_at_sigterm_a_moment_later() -> None:
    async def conversation(stage: Stage) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    play(conversation, upstream(check=NO_CHECK), stop=b"")


def test_what_was_written_last_is_told_when_it_leaves(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MOMENT", 3600.0)

    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it has asked", lambda: stage.verdict() is Verdict.UP)
        stage.control._book.ring()
        os.eventfd_read(stage.row.board.bell_fd)
        stage.control._book.ring()
        stage.says(channel.STOP)
        await until("the bell has rung", lambda: is_told(stage.row.board.bell_fd))

    play(conversation, checked(server, interval=3600.0))


def test_a_reopened_log_is_handed_to_the_sink() -> None:
    async def conversation(stage: Stage) -> None:
        null = os.open(os.devnull, os.O_RDWR)
        stage.says(channel.LOG, null)
        os.close(null)
        await until("it has it", lambda: hasattr(stage.sink, "reopened"))
        stage.says(channel.LOG)  # the descriptor was lost on the way

    play(conversation, upstream(check=NO_CHECK))


def test_addresses_of_a_name_are_seated_and_checked(resolver: None, server: socket.socket) -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it watches the name", lambda: stage.control._names)
        stage.resolver.told["db.test:80"].found((Found(Inet(*server.getsockname())),), whole=True)
        await until("it is checked", lambda: stage.verdict("db.test:80#1") is Verdict.UP)

    play(conversation, upstream(servers=(NAMED,), check=TCP))


def test_a_seat_that_has_become_free_is_found_now_and_then(resolver: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "TIDY_SECONDS", 0.01)

    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it watches the name", lambda: stage.control._names)
        told = stage.resolver.told["db.test:80"]
        told.found((Found(Inet("10.0.0.1", 80)),), whole=True)
        told.found((Found(Inet("10.0.0.2", 80)),), whole=True)
        seat = Seat(stage.row.said, stage.row.columns, "db", "db.test:80#1")
        await until("nobody sits there", lambda: seat.read() is None)

    play(conversation, upstream(servers=(NAMED,), check=NO_CHECK))


def test_a_knock_has_only_the_names_asked_for_again_whose_dials_failed(resolver: None) -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it watches the names", lambda: stage.control._names)
        for number, name in enumerate(("db.test:80", "other.test:80")):
            stage.resolver.told[name].found((Found(Inet(f"10.0.0.{number}", 80)),), whole=True)
        tally = ServerTally(stage.row.row, stage.row.columns, "db", "other.test:80#1")
        stage.row.row[tally.failures["refused"]] += 1
        stage.row.board.knock()
        await until("it was asked for", lambda: stage.resolver.again_for)
        assert stage.resolver.again_for == ["other.test:80"]

    other = member(name="other.test:80", address=Host("other.test", 80))
    play(conversation, upstream(servers=(NAMED, other), check=NO_CHECK))


def test_however_often_workers_knock_control_looks_once_in_a_moment(
    resolver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it watches the name", lambda: stage.control._names)
        stage.resolver.told["db.test:80"].found((Found(Inet("10.0.0.1", 80)),), whole=True)
        looks = []

        def look() -> bool:
            looks.append(time.monotonic())
            return True

        monkeypatch.setattr(stage.control._entries[0], "dials_fail", look)
        began = time.monotonic()
        while time.monotonic() - began < 4 * KNOCK_SECONDS:
            stage.row.board.knock()
            await asyncio.sleep(0)
        await until("it has looked", lambda: looks)
        assert len(looks) <= 5
        assert all(later - earlier >= KNOCK_SECONDS * 0.9 for earlier, later in itertools.pairwise(looks))

    play(conversation, upstream(servers=(NAMED,), check=NO_CHECK))


def test_questions_to_nameservers_are_counted_by_their_result(resolver: None) -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it watches the name", lambda: stage.control._names)
        for result in ("answered", "failed", "answered"):
            stage.resolver.on_query(result)
        columns, said = stage.row.columns, stage.row.said
        counted = {labels[0]: said[column] for labels, column in columns.each(catalogue.RESOLVER_QUERIES)}
        assert counted == {"answered": 2, "empty": 0, "failed": 1}
        stage.says(channel.STOP)
        await until("it has closed", lambda: stage.resolver.closed)

    play(conversation, upstream(servers=(NAMED,), check=NO_CHECK))


def test_a_password_that_cannot_be_read_is_told_once_and_no_servers_fault(server: socket.socket) -> None:
    """What was known of the servers holds, and those of other upstreams are asked."""

    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("others are asked", lambda: stage.verdict("two", "other") is Verdict.UP)
        await until("it is told that its own are not", lambda: len(told(stage)) > 1)
        await asyncio.sleep(0.2)
        assert stage.verdict() is Verdict.UNKNOWN
        lack = "password_file: /does/not/exist: no such file or directory"
        assert told(stage) == [
            (Level.ERROR, f"upstreams.db.check.{lack}"),
            (Level.WARNING, f"checks of db have to wait, what was known holds: {lack}"),
        ]

    def told(stage: Stage) -> list[tuple[Level, str]]:
        return [(level, text) for level, text in stage.sink.taken if level is not Level.DEBUG]

    address = Inet(*server.getsockname())
    lacking = checked(server, type=CheckType.REDIS, password_file="/does/not/exist")
    play(conversation, lacking, upstream(name="other", servers=(member(name="two", address=address),), check=TCP))


def test_a_bug_in_a_callback_of_its_own_is_told_and_ends_it(resolver: None) -> None:
    def broken() -> None:
        raise KeyError("a mistake")

    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it is at work", lambda: stage.heartbeat)
        asyncio.get_running_loop().call_soon(broken)
        await until("it leaves", lambda: stage.status is not None)
        assert stage.resolver.closed
        (told,) = [text for level, text in stage.sink.taken if level is Level.ERROR]
        assert told.startswith("a bug in control, Exception in callback")
        assert "KeyError: 'a mistake'" in told

    play(conversation, upstream(servers=(NAMED,), check=NO_CHECK), stop=b"", status=1)


def test_when_it_leaves_its_heart_beats_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one may beat by then, on the same row."""
    monkeypatch.setattr(control_module, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(control_module, "TIDY_SECONDS", 0.01)

    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        await until("it beats", lambda: stage.heartbeat)
        stage.says(channel.STOP)
        await until("it has left", lambda: stage.status is not None)
        last = stage.heartbeat
        await asyncio.sleep(0.1)
        assert stage.heartbeat == last

    play(conversation, upstream(check=NO_CHECK))


def tell_bug(stage: Stage, **context: object) -> None:
    """As asyncio tells of an exception in a callback or a transport."""
    asyncio.get_running_loop().call_exception_handler({"message": "oh", **context})


def test_a_transport_without_memory_is_closed_and_all_else_goes_on(server: socket.socket) -> None:
    async def conversation(stage: Stage) -> None:
        stage.says(channel.GO)
        tell_bug(stage, exception=MemoryError(), transport=object())
        assert stage.sink.texts == ["out of memory: the connection of a check was closed"]
        await until("it has asked", lambda: stage.verdict() is Verdict.UP)

    play(conversation, checked(server))


@pytest.mark.parametrize("context", [{"exception": MemoryError()}, {"exception": KeyError(), "transport": object()}])
def test_any_other_mistake_of_ours_has_it_leave(context: dict[str, object]) -> None:
    async def conversation(stage: Stage) -> None:
        tell_bug(stage, **context)

    play(conversation, upstream(check=NO_CHECK), stop=b"", status=1)


@pytest.mark.parametrize("stop", [channel.STOP, b""])
def test_its_loop_is_guarded_while_it_is_at_work(stop: bytes) -> None:
    async def conversation(stage: Stage) -> None:
        assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
        stage.says(channel.GO)
        await until("it is at work", lambda: stage.heartbeat)
        assert signal.getitimer(signal.ITIMER_PROF)[1] == 1
        if not stop:
            tell_bug(stage)

    play(conversation, upstream(check=NO_CHECK), stop=stop, status=0 if stop else 1)
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
