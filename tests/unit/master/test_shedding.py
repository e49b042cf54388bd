"""Shedding: what is waited for, who is told, and when the master closes its copies."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from l4d.child import channel
from l4d.linux.handshakes import Handshake
from l4d.log.log import Log
from l4d.loop import loop as loop_module
from l4d.master import shedding as shedding_module
from l4d.master.bound import Bound, Place
from l4d.master.generation import Child, Generation, Slot
from l4d.master.prepare import Prepared
from l4d.master.shedding import LOOK, PATIENCE, Shedding
from l4d.master.sockets import Plan, keep, plan
from l4d.master.timers import Timers
from l4d.terms import Level
from tests.kit.processes import own_descriptors
from tests.unit.making import Clock, Lines, NeverWaiting
from tests.unit.master.played import Process
from tests.unit.master.test_sockets import config

ONE, TWO = ("ours", "one"), ("ours", "two")


@dataclass
class Served:
    """Of a configuration that is prepared, the plan alone."""

    plan: Plan


class Master:
    """A generation of two workers, with TCP and UDP sockets for five, a clock, and handshakes to order."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self.loop = NeverWaiting()
        self.sink = Lines()
        self.log = Log(self.sink, Level.INFO, "master")
        self.settled = True
        self.handshakes: set[Handshake] | None = set()  # None: that cannot be told
        self.asked: list[Collection[int]] = []
        wanted = config(folder, web="tcp 127.0.0.1:0", dns="udp 127.0.0.1:0")
        self.held: dict[Place, Bound] = {}
        for slots in (5, 2):
            self.plan = plan(wanted, slots, self.held, ())
            self.held = keep(self.plan, wanted, self.held)
        self.generation = Generation(
            2, cast(Prepared, Served(self.plan)), frozenset(), [Slot(0), Slot(1)], serving=True
        )
        self.workers: list[Process] = []
        for slot in range(2):
            self.bear(slot)
        self.shedding = Shedding(self.generation, Timers(self.loop), self)

    def bear(self, slot: int) -> Process:
        worker = Process(2)
        self.workers.append(worker)
        self.generation.slots[slot].child = Child(
            worker.pid, worker.pidfd, worker.ours, self.generation, slot, 0, self.clock.now, ready=True
        )
        return worker

    def in_flight(self, ports: Collection[int]) -> set[Handshake]:
        self.asked.append(ports)
        if self.handshakes is None:
            raise PermissionError
        return set(self.handshakes)

    def look(self, times: int = 1) -> None:
        """So many looks."""
        for _ in range(times):
            self.clock.now += LOOK
            self.loop.turn()

    def answer(self, slot: int) -> None:
        child = self.generation.slots[slot].child
        assert child is not None
        self.shedding.shed(child)

    @property
    def told(self) -> list[int]:
        """How often each worker that ever was has been told."""
        return [worker.listen().count(channel.SHED) for worker in self.workers]

    @property
    def sockets(self) -> set[int]:
        """How many there are of each address."""
        return {len(bound.sockets) for bound in self.plan.places.values()}

    def close(self) -> None:
        for worker in self.workers:
            worker.dies()
            worker.clean_up()
            worker.ours.close()
        for bound in self.held.values():
            bound.close()
        self.loop.shut()


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Master]:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    master = Master(clock, tmp_path)
    monkeypatch.setattr(shedding_module, "in_flight", master.in_flight)
    yield master
    master.close()


def test_the_sockets_are_closed_when_every_worker_has_shed_its_copies(master: Master) -> None:
    before = own_descriptors()
    master.look()
    assert master.told == [0, 0]
    master.look()
    assert master.told == [1, 1]
    master.answer(0)
    master.look()
    assert (master.told, master.sockets) == ([1, 2], {5})
    master.answer(1)
    master.look()
    assert master.sockets == {2}
    assert own_descriptors() == before - 6
    assert master.sink.texts == ["closed 6 listening sockets of slots that were given up"]
    master.look(3)
    assert master.told == [1, 2]


def test_handshakes_of_before_are_waited_for_and_no_others(master: Master) -> None:
    master.handshakes = {ONE, TWO}
    master.look(3)
    master.handshakes = {TWO, ("ours", "three")}
    master.look(3)
    assert master.told == [0, 0]
    master.handshakes = {ONE, ("ours", "three")}  # this one begins anew, and was steered
    master.look(2)
    assert master.told == [1, 1]
    [web] = master.plan.by_listener["web"]
    assert set(map(tuple, master.asked)) == {(web.port,)}


def test_a_handshake_is_not_waited_for_for_ever(master: Master) -> None:
    master.handshakes = {ONE}
    master.look(PATIENCE)
    assert master.told == [0, 0]
    master.look()
    assert master.told == [1, 1]


def test_where_handshakes_cannot_be_told_the_longest_is_waited_for(master: Master) -> None:
    master.handshakes = None
    master.look(PATIENCE)
    assert master.told == [0, 0]
    master.look()
    assert master.told == [1, 1]


def test_nobody_is_told_while_a_change_is_under_way(master: Master) -> None:
    master.settled = False
    master.look(5)
    assert master.told == [0, 0]
    master.settled = True
    master.look()
    assert master.told == [1, 1]


def test_nothing_is_closed_while_a_change_is_under_way_that_began_meanwhile(master: Master) -> None:
    master.look(2)
    master.settled = False
    master.answer(0)
    master.answer(1)
    master.look(5)
    assert master.sockets == {5}
    master.settled = True  # it did not come about
    master.look()
    assert master.sockets == {2}


def test_the_next_generation_ends_it(master: Master) -> None:
    master.look(2)
    master.generation.leaving = True
    master.answer(0)
    master.answer(1)
    master.look(5)
    assert master.sockets == {5}
    assert len(master.asked) == 1


def test_a_replacement_is_told_too(master: Master) -> None:
    master.look(2)
    master.answer(0)
    master.answer(1)
    master.bear(1)
    master.look()
    assert (master.told, master.sockets) == ([1, 1, 1], {5})
    master.answer(1)
    master.look()
    assert master.sockets == {2}


def test_a_dead_worker_is_not_waited_for(master: Master) -> None:
    master.look(2)
    master.answer(0)
    master.generation.slots[1].child = None
    master.look()
    assert master.sockets == {2}


def test_an_answer_of_a_worker_of_before_means_nothing(master: Master) -> None:
    stranger = Child(0, 0, master.workers[0].ours, Generation(1, cast(Prepared, None), frozenset()), 0, 0, 0.0)
    master.shedding.shed(stranger)
    master.look(4)
    assert master.sockets == {5}


def test_where_there_are_as_many_slots_as_sockets_nothing_is_looked_at(master: Master) -> None:
    for bound in master.held.values():
        while len(bound.sockets) > 2:
            bound.sockets.pop().close()
    master.shedding = Shedding(master.generation, Timers(master.loop), master)
    master.look(3)
    assert not master.asked
    assert master.told == [0, 0]
