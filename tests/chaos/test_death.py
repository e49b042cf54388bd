"""The real generators before a real server that dies, without l4d: what they report is explained by its death alone."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.actor import Actor
from tests.chaos.bed import Server
from tests.chaos.event import Event
from tests.chaos.facts import Broken, Fact, Flow
from tests.chaos.ledger import Account, account
from tests.chaos.plan import What
from tests.kit import wait_until

COUNT = 20
CLIENTS = ["long", "flows"]


class Scene:
    """Long sessions and flows that come to one server, and its death, after which another one takes its place."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.server = opened.enter_context(Server(folder, "backend", "127.0.0.1"))
        self.server.process.wait_ready()
        port, seed = self.server.address.port, 1
        long = Actor(folder, "long", port, COUNT, 1, seed)
        flows = Actor(folder, "flows", port, COUNT, 20, 1000, seed)
        self.clients = [opened.enter_context(client) for client in (long, flows)]
        for client in self.clients:
            client.wait_ready()

    def let_it_die(self) -> Event:
        port, pid = self.server.address.port, self.server.process.pid
        death = Event(time.monotonic(), What.KILL_SERVER, pid, listener=port, connections=COUNT)
        self.server.kill()
        death.gone = time.monotonic()
        wait_until("another one serves", self.server.come_back)
        death.until = time.monotonic()
        return death

    def finish(self) -> list[Fact]:
        for client in self.clients:
            client.end_input()
        assert [client.finish() for client in self.clients] == [0, 0]
        return [fact for client in self.clients for fact in client.facts()]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as opened:
        yield Scene(tmp_path, opened)


def close(facts: list[Fact], *events: Event) -> Account:
    return account(0.0, events, facts, CLIENTS)


def test_without_a_death_nothing_is_missing(scene: Scene) -> None:
    facts = scene.finish()
    made = close(facts)
    assert not made.differences
    assert made.tallies["long"]["whole"] == made.tallies["flows"]["clients"] == COUNT
    assert made.tallies["long"]["sent"] == made.tallies["long"]["received"] > 0


def test_what_a_death_takes_along_is_reported_and_explained_by_it_alone(scene: Scene) -> None:
    death = scene.let_it_die()
    facts = scene.finish()
    assert len([fact for fact in facts if isinstance(fact, Broken) and fact.server == death.pid]) == COUNT
    assert len([fact for fact in facts if isinstance(fact, Flow) and fact.lost]) == COUNT

    # Without l4d a flow is not taken elsewhere: its server is found to refuse for as long as it is away.
    away = Event(death.at, What.STOP_WORKER, until=death.until)
    another = replace(death, pid=1)
    assert len(lost(facts)) >= len(lost(facts, another, away)) >= 2 * COUNT
    assert lost(facts, death, away) == []


def lost(facts: list[Fact], *events: Event) -> list[str]:
    """The differences, without those who were refused while there was no server: nothing may explain them."""
    return [each.text for each in close(facts, *events).differences if "refused" not in each.text]
