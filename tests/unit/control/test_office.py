"""The office of control: what is asked of the master, what it says, and what becomes of a wish."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from l4d.child import channel
from l4d.child.assignment import Assignment
from l4d.control import office as office_module
from l4d.control.assignment import ControlAssignment
from l4d.control.inquiries import Inquiries
from l4d.control.office import Desk, Office
from l4d.linux import calls
from l4d.stats.changes import Change, Changes
from l4d.stats.wish import Unsaid, Wish
from l4d.terms import ServerState
from tests.kit.api import Api
from tests.unit.control import making
from tests.unit.control.making import HERE
from tests.unit.making import CONTROL, config_of


@pytest.fixture(autouse=True)
def _loggers_are_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("aiohttp", "asyncio")]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate


class Scene:
    """An office with a door, and the test as its master."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.desk = making.Desk()
        self.master, theirs = (stack.enter_context(end) for end in channel.pair())
        inquiries = stack.enter_context(calls.listen())
        self.api = Api(folder / "l4d.sock")
        door = stack.enter_context(socket.socket(socket.AF_UNIX))
        door.bind(str(self.api.door))
        door.listen()
        row, config = self.desk.row, replace(config_of(self.desk.upstream), files=("/etc/l4d.toml",))
        common = Assignment(
            1, config, None, row.board, row.columns, CONTROL, CONTROL, theirs, self.desk.sink, os.getpid(), False
        )
        assignment = ControlAssignment.of(common, inquiries, [door], {}, Changes(1.0))
        asking = Inquiries(inquiries, row.board, row.columns, self.desk.log)
        self.office = Office(assignment, self.desk.book, {"db": self.desk.checks}, asking, self.desk.log)

    async def hear(self) -> bytes:
        """The next word for the master."""
        await asyncio.sleep(0)
        heard = channel.hear(self.master)
        assert heard is not None
        return heard[0]

    async def get(self, path: str) -> object:
        return await asyncio.to_thread(self.api.get, path)


def play(folder: Path, conversation: Callable[[Scene], Awaitable[None]]) -> None:
    async def played() -> None:
        with ExitStack() as stack:
            scene = Scene(stack, folder)
            await scene.office.prepare()
            await scene.office.open()
            try:
                await conversation(scene)
            finally:
                await scene.office.close()

    asyncio.run(played())


def test_the_master_is_asked_and_its_answer_goes_to_who_has_asked(tmp_path: Path) -> None:
    async def conversation(scene: Scene) -> None:
        asked = [asyncio.ensure_future(scene.office.ask(what)) for what in ("reload", "reopen")]
        words = [await scene.hear(), await scene.hear()]
        (one, reload), (two, reopen) = map(channel.asked, words)
        assert (reload, reopen) == ("reload", "reopen")
        scene.office.hear(channel.answer(two, []))
        scene.office.hear(channel.answer(two, ["once more"]))
        scene.office.hear(channel.answer(one, ["a: no such key"]))
        scene.office.hear(channel.answer(77, ["nobody asked"]))
        assert [await each for each in asked] == [["a: no such key"], []]

    play(tmp_path, conversation)


def test_a_master_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office_module, "MASTER_PATIENCE", 0.01)

    async def conversation(scene: Scene) -> None:
        assert await scene.office.ask("reload") == ["the master does not answer"]
        scene.office.hear(channel.answer(1, []))  # too late

    play(tmp_path, conversation)


def test_what_the_master_says_has_happened_is_told(tmp_path: Path) -> None:
    async def conversation(scene: Scene) -> None:
        changes = Changes(1.0, [Change(2.0, "reload", "failure", 7, "a: no such key")])
        scene.office.hear(channel.changes(changes.encode()))
        status = await scene.get("status")
        assert isinstance(status, dict)
        [change] = status["reloads"]
        assert (change["time"], change["message"]) == ("1970-01-01T00:00:02.000Z", "a: no such key")
        assert (status["started"], status["pid"]) == ("1970-01-01T00:00:01.000Z", os.getpid())

    play(tmp_path, conversation)


def test_a_word_that_is_not_known_is_none_of_its_business(tmp_path: Path) -> None:
    async def conversation(scene: Scene) -> None:
        scene.office.hear(b"dance")
        assert scene.desk.lines == []

    play(tmp_path, conversation)


def test_a_server_in_maint_is_not_asked_and_one_that_was_is_asked_again() -> None:
    async def conversation() -> None:
        desk = making.Desk()
        desk.checks.add("one", HERE)
        servers = Desk(desk.book, {"db": desk.checks})
        servers.wish("db", "one", Wish(state=ServerState.MAINT), "alice")
        assert desk.asking.addresses == {}
        servers.wish("db", "one", Wish(state=Unsaid.FILE), "alice")
        assert list(desk.asking.addresses) == ["one"]
        assert desk.lines[-1] == "info: server db/one: state as in the file (by alice)"
        with pytest.raises(KeyError):
            servers.wish("db", "two", Wish(weight=5), "alice")

    asyncio.run(conversation())


def test_every_library_is_there_before_control_gives_up_its_rights() -> None:
    """What a request would import may be out of reach of the user that control has become."""
    needed = ["concurrent.futures.thread", "prometheus_client", "aiohttp.web"]
    code = f"import sys, l4d.control.office; sys.exit(any(name not in sys.modules for name in {needed}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
