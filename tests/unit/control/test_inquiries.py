"""Asking the workers: who is believed, what becomes of their answers, who is called silent. The test is a worker."""

import asyncio
import errno
import os
import select
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import pytest

from l4d.control import callers
from l4d.control import inquiries as inquiries_module
from l4d.control.inquiries import Inquiries, Killed, Listing
from l4d.handover.link import Link
from l4d.handover.record import Json
from l4d.linux import calls
from l4d.linux.steering import slot_of
from l4d.log.log import Log
from l4d.session.filter import Filter
from l4d.stats.process import Presence, reserve
from l4d.terms import Level, WorkerState
from tests.kit.wait import TIMEOUT
from tests.unit.making import Lines, Row

NOBODY = 4_000_000
"""No process has that pid (proc_sys_kernel(5), pid_max)."""


class Stage:
    """Control's side, and what the test says for the workers."""

    def __init__(self, listening: socket.socket) -> None:
        self.row = Row()
        reserve(self.row.columns)
        self.sink = Lines()
        self.listening = listening
        log = Log(self.sink, Level.DEBUG, "control")
        self.inquiries = Inquiries(listening, self.row.board, self.row.columns, log)
        self.links: list[Link] = []

    def worker(self, pid: int = 0, slot: int = 0, state: WorkerState = WorkerState.SERVING) -> None:
        """There is one, and it is this process if nothing else is said."""
        presence = Presence(self.row.another().row, self.row.columns, pid or os.getpid(), 1, slot, 2)
        presence.become(state)

    async def call(self) -> Link:
        link = Link(calls.call(calls.name_of(self.listening)))
        self.links.append(link)
        await asyncio.sleep(0)
        return link

    async def is_asked(self, link: Link) -> Json:
        deadline = time.monotonic() + TIMEOUT
        while (message := link.receive()) is None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.001)
        return message.head

    async def is_let_go(self, link: Link) -> bool:
        with pytest.raises(ConnectionError):
            await self.is_asked(link)
        return True

    def ask(self, limit: int = 10, **texts: str) -> "asyncio.Task[Listing]":
        return asyncio.ensure_future(self.inquiries.sessions(Filter(texts), limit))


Conversation: TypeAlias = Callable[[Stage], Awaitable[None]]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, nobody who answers is called silent."""
    monkeypatch.setattr(inquiries_module, "PATIENCE", 2 * TIMEOUT)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, _patient: None) -> None:
    """For those who wait for one who will not answer."""
    monkeypatch.setattr(inquiries_module, "PATIENCE", 0.3)


@pytest.fixture
def play() -> Iterator[Callable[[Conversation], Stage]]:
    """Has a conversation, while control answers who calls."""
    with calls.listen() as listening:
        stage = Stage(listening)

        async def both(conversation: Conversation) -> None:
            stage.inquiries.open()
            try:
                await conversation(stage)
            finally:
                stage.inquiries.close()

        def play(conversation: Conversation) -> Stage:
            asyncio.run(asyncio.wait_for(both(conversation), TIMEOUT))
            return stage

        yield play
        for link in stage.links:
            link.close()


Play: TypeAlias = Callable[[Conversation], Stage]


def test_what_a_worker_tells_is_told_the_oldest_first_and_no_more_than_was_wanted(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask(limit=3, listener="web")
        asked = await stage.is_asked(link)
        assert asked == {"id": 1, "ask": "sessions", "filter": {"listener": "web"}, "limit": 3}
        link.send({"id": 1, "items": [{"time": "b"}, {"time": "a"}]})
        link.send({"id": 1, "items": [{"time": "d"}, {"time": "c"}]})
        link.send({"id": 1, "done": {"total": 9}})
        assert await asking == Listing([{"time": "a"}, {"time": "b"}, {"time": "c"}], 9, [])

    play(conversation)


def test_the_oldest_are_told_however_many_younger_ones_came_before_them(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask(limit=2)
        await stage.is_asked(link)
        for number in range(200, 0, -20):
            link.send({"id": 1, "items": [{"time": f"{number - each:03}"} for each in range(20)]})
        link.send({"id": 1, "done": {"total": 200}})
        assert await asking == Listing([{"time": "001"}, {"time": "002"}], 200, [])

    play(conversation)


def test_a_worker_that_was_over_before_its_call_was_answered_is_no_stranger(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.inquiries.close()
        stage.worker(NOBODY)
        (await stage.call()).close()
        stage.inquiries.open()
        while select.select([stage.listening], [], [], 0)[0]:  # noqa: ASYNC110 - it is the kernel that knows
            await asyncio.sleep(0.001)

    assert play(conversation).sink.texts == []


def test_who_is_no_worker_is_sent_away_unheard_and_told_of_once(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker(NOBODY)
        links = [await stage.call() for _ in range(100)]
        for link in links:
            assert await stage.is_let_go(link)

    stage = play(conversation)
    assert stage.sink.texts == [f"process {os.getpid()} is none of the workers, and was sent away"]


@pytest.mark.usefixtures("impatient")
def test_a_worker_that_does_not_answer_is_silent_and_the_others_are_told(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        stage.worker(NOBODY, 1)
        stage.worker(NOBODY + 1, 2, WorkerState.STARTING)
        link = await stage.call()
        asking = stage.ask()
        await stage.is_asked(link)
        link.send({"id": 1, "items": [{"time": "a"}], "done": {"total": 1}})
        assert await asking == Listing([{"time": "a"}], 1, [NOBODY])

    play(conversation)


@pytest.mark.usefixtures("impatient")
def test_a_worker_that_goes_on_telling_is_waited_for(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask()
        await stage.is_asked(link)
        for _ in range(8):
            await asyncio.sleep(0.06)
            link.send({"id": 1, "items": []})
        link.send({"id": 1, "done": {"total": 3}})
        assert await asking == Listing([], 3, [])

    play(conversation)


@pytest.mark.usefixtures("impatient")
def test_a_worker_that_is_busy_with_another_inquiry_is_waited_for(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        first, second = stage.ask(), stage.ask()
        for _ in range(8):
            await asyncio.sleep(0.06)
            link.send({"id": 1, "items": []})
        link.send({"id": 1, "done": {"total": 1}})
        link.send({"id": 2, "done": {"total": 2}})
        assert [(await first).total, (await second).total] == [1, 2]

    play(conversation)


def test_nobody_is_waited_for_for_ever(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiries_module, "LONGEST", 0.2)

    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask()
        while not asking.done():
            link.send({"id": 1, "items": []})
            await asyncio.sleep(0.01)
        assert (await asking).silent == [os.getpid()]

    play(conversation)


def test_a_worker_that_dies_amid_an_answer_is_silent_at_once_and_what_it_told_is_told(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask()
        await stage.is_asked(link)
        link.send({"id": 1, "items": [{"time": "a"}]})
        link.close()
        assert await asking == Listing([{"time": "a"}], 0, [os.getpid()])
        again = await stage.call()
        await asyncio.sleep(0)
        assert again.receive() is None

    play(conversation)


@pytest.mark.parametrize(
    "said",
    [
        b"\xff",
        b"[]",
        b'{"id": "1"}',
        b'{"id": 1, "items": 3}',
        b'{"id": 1, "items": [3]}',
        b'{"id": 1, "done": 3}',
        b'{"id": 1, "done": {"total": "3"}}',
        b'{"id": 1, "done": {"killed": true}}',
    ],
)
def test_one_that_says_what_nobody_understands_is_let_go_with_one_line(play: Play, said: bytes) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask()
        await stage.is_asked(link)
        link._sock.send(said)
        assert (await asking).silent == [os.getpid()]
        assert await stage.is_let_go(link)

    [line] = play(conversation).sink.texts
    assert line.startswith(f"asking worker {os.getpid()}: ")


@pytest.mark.usefixtures("impatient")
def test_what_comes_too_late_is_passed_over(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        assert (await stage.ask()).silent == [os.getpid()]
        await stage.is_asked(link)
        link.send({"id": 1, "done": {"total": 3}})
        asking = stage.ask()
        assert (await stage.is_asked(link))["id"] == 2
        link.send({"id": 2, "done": {"total": 4}})
        assert (await asking).total == 4

    assert play(conversation).sink.texts == []


@pytest.mark.usefixtures("impatient")
def test_one_that_calls_amid_an_inquiry_is_asked_too(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker(NOBODY, 1)
        asking = stage.ask()
        await asyncio.sleep(0)
        stage.worker()
        link = await stage.call()
        assert (await stage.is_asked(link))["ask"] == "sessions"
        link.send({"id": 1, "done": {"total": 2}})
        assert await asking == Listing([], 2, [NOBODY])

    play(conversation)


def test_one_that_calls_again_has_given_the_last_connection_up(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        first, second = await stage.call(), await stage.call()
        await asyncio.sleep(0)
        assert await stage.is_let_go(first)
        asking = stage.ask()
        await stage.is_asked(second)
        second.send({"id": 1, "done": {"total": 1}})
        assert (await asking).total == 1

    play(conversation)


def test_a_kill_tells_when_it_was_asked_for_and_how_many_were_meant(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        killing = asyncio.ensure_future(stage.inquiries.kill(Filter({"older": "10m"})))
        asked = await stage.is_asked(link)
        assert (asked["ask"], asked["filter"]) == ("kill", {"older": "10m"})
        assert abs(asked["time"] - time.monotonic()) < TIMEOUT
        link.send({"id": 1, "done": {"killed": 5}})
        assert await killing == Killed(5, [])

    play(conversation)


def test_all_sessions_are_never_killed_by_leaving_the_filter_out(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        with pytest.raises(ValueError, match="a filter is needed"):
            await stage.inquiries.kill(Filter({}))

    play(conversation)


def test_what_a_worker_cannot_do_is_told_in_the_log(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask()
        await stage.is_asked(link)
        link.send({"id": 1, "done": {"error": "of another version"}})
        assert await asking == Listing([], 0, [])

    assert play(conversation).sink.texts == [f"asking worker {os.getpid()}: 'of another version'"]


def test_the_newest_ends_of_all_workers_are_told_the_newest_first(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = asyncio.ensure_future(stage.inquiries.newest_ends(2))
        await stage.is_asked(link)
        link.send({"id": 1, "items": [{"id": "a", "ended": 1.5}, {"id": "b", "ended": 3.5}, {"id": "c", "ended": 2.5}]})
        link.send({"id": 1, "items": [{"id": "d"}], "done": {}})
        assert await asking == [{"id": "b"}, {"id": "c"}]

    play(conversation)


def answer(**changes: Any) -> Json:
    told = {"worker": 0, "server": "web/one", "address": "10.0.0.1:80", "why": "next in turn", "certain": True}
    return {**told, "upstream": "web", "balance": "hash", **changes}


def test_an_explanation_is_what_the_worker_says_that_the_client_is_steered_to(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker(slot=1)
        stage.worker(NOBODY, 0)
        link = await stage.call()
        port = 4712  # one of the two is steered to slot 1
        while steered_to(port) != 1:
            port += 1
        explaining = asyncio.ensure_future(stage.inquiries.explain("web", f"10.0.0.7:{port}"))
        asked = await stage.is_asked(link)
        assert (asked["listener"], asked["client"]) == ("web", ["10.0.0.7", port])
        link.send({"id": 1, "items": [{"name": "one"}]})
        link.send({"id": 1, "done": answer()})
        told = await explaining
        assert (told.certain, told.silent, told.servers) == (True, [], [{"name": "one"}])
        assert (told.upstream, told.balance) == ("web", "hash")
        assert told.answers == [
            {"worker": 0, "server": "web/one", "address": "10.0.0.1:80", "why": "next in turn"},
        ]

    play(conversation)


def steered_to(port: int) -> int:
    return slot_of(("10.0.0.7", port), 2)


@pytest.mark.usefixtures("impatient")
def test_it_is_not_certain_while_a_worker_is_silent_or_not_sure(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        for number, certain in ((1, False), (2, True)):
            explaining = asyncio.ensure_future(stage.inquiries.explain("web", "10.0.0.7"))
            await stage.is_asked(link)
            link.send({"id": number, "done": answer(certain=certain)})
            assert (await explaining).certain is certain
        stage.worker(NOBODY, 1)
        explaining = asyncio.ensure_future(stage.inquiries.explain("web", "10.0.0.7"))
        await stage.is_asked(link)
        link.send({"id": 3, "done": answer()})
        assert not (await explaining).certain

    play(conversation)


def test_what_cannot_be_explained_is_said_as_the_worker_says_it(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        with pytest.raises(ValueError, match="no worker has answered"):
            await stage.inquiries.explain("web", "10.0.0.7")
        stage.worker()
        link = await stage.call()
        explaining = asyncio.ensure_future(stage.inquiries.explain("wep", "10.0.0.7"))
        await stage.is_asked(link)
        link.send({"id": 2, "done": {"error": "there is no listener 'wep'"}})
        with pytest.raises(ValueError, match="there is no listener 'wep'"):
            await explaining

    play(conversation)


def test_without_a_descriptor_those_who_call_are_answered_a_moment_later(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "PAUSE", 0.01)
    answers = calls.answer

    def lacking(_listening: socket.socket) -> None:
        monkeypatch.setattr(calls, "answer", answers)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def conversation(stage: Stage) -> None:
        monkeypatch.setattr(calls, "answer", lacking)
        stage.worker()
        link = await stage.call()
        asking = stage.ask()
        await stage.is_asked(link)
        link.send({"id": 1, "done": {"total": 1}})
        assert (await asking).total == 1

    assert play(conversation).sink.texts == ["answering the workers: too many open files; pausing"]


def test_whoever_asks_while_control_leaves_is_answered_with_what_is_known(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        asking = stage.ask()
        await stage.is_asked(link)
        stage.inquiries.close()
        assert (await asking).silent == [os.getpid()]

    play(conversation)


def test_what_a_slow_worker_has_no_room_for_is_sent_when_it_has(play: Play) -> None:
    async def conversation(stage: Stage) -> None:
        stage.worker()
        link = await stage.call()
        await asyncio.sleep(0)
        asking = [stage.ask(listener="x" * 10_000) for _ in range(200)]
        await asyncio.sleep(0)
        for _ in asking:
            number = (await stage.is_asked(link))["id"]
            link.send({"id": number, "done": {"total": number}})
        assert sum([(await one).total for one in asking]) == sum(range(1, 201))

    play(conversation)
