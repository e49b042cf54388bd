"""Being asked: the test is control, at the other end of the connection."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from l4d.address import Unix
from l4d.config.addresses import LONGEST_PATH
from l4d.config.values import LONGEST_WORD
from l4d.handover.link import LONGEST, Link
from l4d.handover.record import Json
from l4d.linux import calls
from l4d.session.facts import facts_of
from l4d.session.session import Session
from l4d.terms import End
from l4d.worker import errands
from l4d.worker import inquiry as inquiry_module
from l4d.worker.errands import MOST_TOLD, Errands
from l4d.worker.inquiry import Errand, Inquiry
from tests.kit.wait import wait_until
from tests.unit.making import Clock, Row, listener, upstream
from tests.unit.worker.posts import Post, Town


class Control:
    """Who is called, and asks."""

    def __init__(self, stack: ExitStack, post: Post, errand: Any = None) -> None:
        self.post = post
        self.listening = stack.enter_context(calls.listen())
        assignment = replace(post.assignment, inquiries=calls.name_of(self.listening))
        self.errands = Errands(assignment, post.loop, post.services)
        self.inquiry = Inquiry(assignment, post.loop, post.log, errand or self.errands.begin)
        stack.callback(self.end)

    def end(self) -> None:
        if self.inquiry._link is not None:
            self.inquiry._lose()
        self.post.loop.turn()

    def answer(self) -> "Link":
        """Somebody has called."""
        answered = calls.answer(self.listening)
        assert answered is not None
        return Link(answered[0])

    def nobody_calls(self) -> bool:
        return calls.answer(self.listening) is None

    def ask(self, link: Link, **head: Any) -> tuple[list[Json], Json]:
        """What is told, and the answer."""
        link.send({"id": 7, **head})
        return self.hear(link)

    def hear(self, link: Link) -> tuple[list[Json], Json]:
        items: list[Json] = []
        done: list[Json] = []

        def heard() -> bool:
            self.post.loop.turn()
            while (message := link.receive()) is not None:
                assert message.head["id"] == 7
                items.extend(message.head.get("items", []))
                done.extend([message.head["done"]] if "done" in message.head else [])
            return bool(done)

        wait_until("it is answered", heard)
        return items, done[0]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def town(stack: ExitStack) -> Town:
    return Town(stack)


@pytest.fixture
def control(stack: ExitStack, town: Town) -> Control:
    control = Control(stack, town.post())
    control.inquiry.call()
    return control


@pytest.fixture
def link(stack: ExitStack, control: Control) -> Link:
    link = control.answer()
    stack.callback(link.close)
    return link


def test_who_has_called_does_not_call_again(control: Control, link: Link) -> None:
    control.inquiry.call()
    assert control.nobody_calls()


def test_sessions_are_told_in_portions_and_all_are_counted(town: Town, control: Control, link: Link) -> None:
    clients = [town.client(control.post)[0] for _ in range(MOST_TOLD + 3)]
    town.udp_client(control.post)
    items, done = control.ask(link, ask="sessions", filter={}, limit=1000)
    assert done == {"total": len(clients) + 1}
    assert len({item["id"] for item in items}) == len(clients) + 1
    items, done = control.ask(link, ask="sessions", filter={"listener": "web"}, limit=5)
    assert (len(items), done) == (5, {"total": len(clients)})


def test_a_portion_fits_into_a_message_however_long_everything_is_called() -> None:
    name, path = "\U0001f980" * LONGEST_WORD, "/" + "\u00e9" * (LONGEST_PATH // 2)
    row, loop, unnamed = Row(), Clock().as_loop(), b"\0" + b"\xff" * LONGEST_PATH
    config = upstream(name=name)
    place = row.place(config, name=name, address=Unix(path))
    service = row.service(loop, place, listener=listener(name=name), upstream=config)
    session = Session(service, unnamed, 0, 2, local=unnamed)
    row.served(session)
    told = json.dumps([facts_of(session, 1e9, 1e9, End.KILLED)] * MOST_TOLD)
    assert 1.5 * len(told) < LONGEST


def test_a_session_began_when_it_began_however_late_in_a_turn_it_is_told(
    town: Town, control: Control, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.client(control.post)
    later = SimpleNamespace(time=lambda: time.time() + 5, monotonic=lambda: time.monotonic() + 5)
    monkeypatch.setattr(errands, "time", later)
    [session], _ = control.ask(link, ask="sessions", filter={}, limit=10)
    assert 0 <= time.time() - datetime.fromisoformat(session["time"].replace("Z", "+00:00")).timestamp() < 5


def test_those_that_are_meant_are_killed_and_the_others_are_not(town: Town, control: Control, link: Link) -> None:
    (one, _), (other, peer) = town.client(control.post), town.client(control.post)
    client = ":".join(map(str, one.getsockname()))
    now = control.post.loop.now + 1
    assert control.ask(link, ask="kill", filter={"client": client}, time=now) == ([], {"killed": 1})
    with pytest.raises(ConnectionResetError):
        one.recv(1)
    assert town.passes(other, peer, b"hello")


def test_nobody_is_killed_for_having_come_since(town: Town, control: Control, link: Link) -> None:
    town.client(control.post)
    asked = control.post.loop.now - 60
    assert control.ask(link, ask="kill", filter={"listener": "web"}, time=asked) == ([], {"killed": 0})


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        ({"ask": "the way"}, "'the way' cannot be asked of this version"),
        ({"ask": ["kill"]}, "unhashable"),
        ({}, "None cannot be asked"),
        ({"ask": "sessions"}, "'filter'"),
        ({"ask": "sessions", "filter": {"client": "nobody"}, "limit": 1}, "client: 'nobody' is no address"),
        ({"ask": "sessions", "filter": {}, "limit": "many"}, "invalid literal"),
        ({"ask": "kill", "filter": {}, "time": 1.0}, "not all sessions can be killed at once"),
        ({"ask": "explain", "listener": "wep", "client": ["10.0.0.7", 0]}, "there is no listener 'wep'"),
        ({"ask": "explain", "listener": "web", "client": ["10.0.0.7"]}, "not enough values"),
    ],
)
def test_what_cannot_be_asked_is_answered_with_why(control: Control, link: Link, ask: Json, error: str) -> None:
    items, done = control.ask(link, **ask)
    assert items == []
    assert error in done["error"]


def test_inquiries_are_answered_one_after_the_other(town: Town, control: Control, link: Link) -> None:
    town.client(control.post)
    for kind in ("sessions", "nothing", "sessions"):
        link.send({"id": 7, "ask": kind, "filter": {}, "limit": 10})
    heard: list[str] = []

    def all_is_heard() -> bool:
        control.post.loop.turn()
        while (message := link.receive()) is not None:
            heard.append("items" if "items" in message.head else "error" if "error" in message.head["done"] else "done")
        return len(heard) == 5

    wait_until("all is heard", all_is_heard)
    assert heard == ["items", "done", "error", "items", "done"]


def test_who_says_what_is_no_inquiry_is_let_go_with_one_line(control: Control, link: Link) -> None:
    link._sock.send(b"\xffwhat")
    control.post.turn_until("it is told", lambda: control.post.warned("being asked: a message is not of a kind"))
    with pytest.raises(ConnectionError):
        while link.receive() is None:
            control.post.loop.turn()


def test_when_control_has_gone_the_next_one_is_called_at_once(
    control: Control, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry_module, "SOON", 0.0)
    link.close()
    control.post.loop.turn()
    control.answer().close()


def test_who_was_sent_away_at_once_calls_again_with_the_next_heartbeat(
    control: Control, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry_module, "SOON", float("inf"))
    link.close()
    control.post.loop.turn()
    assert control.nobody_calls()
    control.inquiry.call()
    control.answer().close()


def test_who_finds_nobody_calls_another_time(stack: ExitStack, town: Town) -> None:
    control = Control(stack, town.post())
    control.listening.close()
    control.inquiry.call()
    assert control.inquiry._link is None


def test_no_further_than_the_link_takes_it_is_worked(stack: ExitStack, town: Town) -> None:
    steps = []

    def much(_ask: Json) -> Errand:
        for number in range(200):
            steps.append(number)
            yield {"items": [{"text": "x" * 10_000}]}
        yield {"done": {"total": 200}}

    control = Control(stack, town.post(), much)
    control.inquiry.call()
    link = control.answer()
    stack.callback(link.close)
    link.send({"id": 7, "ask": "much"})
    before = -1
    while len(steps) != before:
        before = len(steps)
        for _ in range(20):
            control.post.loop.turn()
    assert 0 < len(steps) < 200
    items, done = control.hear(link)
    assert (len(items), done) == (200, {"total": 200})


def test_a_bug_costs_one_inquiry(stack: ExitStack, town: Town) -> None:
    def buggy(ask: Json) -> Errand:
        yield {"items": []}
        if ask["ask"] == "bug":
            raise ZeroDivisionError
        yield {"done": {}}

    control = Control(stack, town.post(), buggy)
    control.inquiry.call()
    link = control.answer()
    stack.callback(link.close)
    assert control.ask(link, ask="bug")[1] == {"error": "a bug was met"}
    assert control.ask(link, ask="something else")[1] == {}
    assert control.post.warned("a bug in being asked")


def test_what_control_does_not_live_to_hear_is_forgotten(stack: ExitStack, town: Town) -> None:
    steps: list[int] = []

    def endless(_ask: Json) -> Errand:
        while True:
            steps.append(1)
            yield None

    control = Control(stack, town.post(), endless)
    control.inquiry.call()
    link = control.answer()
    link.send({"id": 7, "ask": "all"})
    control.post.turn_until("it is worked on", lambda: steps)
    asked_over = control.inquiry._link
    link.close()
    control.post.turn_until("it is over", lambda: control.inquiry._link is not asked_over)
    steps.clear()
    control.post.loop.turn()
    assert steps == []


def test_descriptors_that_come_with_an_inquiry_are_closed(control: Control, link: Link) -> None:
    with socket.socket() as sock:
        link.send({"id": 7, "ask": "nothing"}, b"", [sock.fileno()])
        assert "cannot be asked" in control.hear(link)[1]["error"]
