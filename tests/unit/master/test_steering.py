"""Where clients go, and when addresses that are gone are closed."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from l4d.log.log import Log
from l4d.loop import loop as loop_module
from l4d.master.estate import Estate
from l4d.master.generation import Child, Generation, Slot
from l4d.master.prepare import Prepared
from l4d.master.sockets import Plan, keep, plan
from l4d.master.steering import LOOK, Steering
from l4d.master.timers import Timers
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.terms import Level
from tests.kit.processes import own_descriptors
from tests.unit.making import Clock, Lines, NeverWaiting
from tests.unit.master.played import Process
from tests.unit.master.test_sockets import config


@dataclass
class Served:
    """What counts of a configuration that is prepared."""

    plan: Plan
    slots: int = 2


class Master:
    """Two workers serve, whose configuration has lost its UDP listener."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self.loop = NeverWaiting()
        self.sink = Lines()
        self.log = Log(self.sink, Level.INFO, "master")
        self.settled = True
        wanted = config(folder, dns="udp 127.0.0.1:0")
        self.estate = Estate(cast(Board, None), Columns(), 1, cast(socket.socket, None))
        self.estate.held = keep(plan(wanted, 2, {}, ()), wanted, {})
        none = replace(wanted, listeners={})
        made = plan(none, 2, self.estate.held, (), retain=True)
        self.estate.held = keep(made, none, self.estate.held)
        self.prepared = cast(Prepared, Served(made))
        self.generation = Generation(2, self.prepared, frozenset(), [Slot(0), Slot(1)], serving=True)
        self.workers = [Process(2), Process(2)]
        for slot, worker in zip(self.generation.slots, self.workers, strict=True):
            slot.child = Child(worker.pid, worker.pidfd, worker.ours, self.generation, slot.number, 0, 0.0)
        self.steering = Steering(self.estate, Timers(self.loop), self)

    def vacant(self, slot: int) -> None:
        child = self.generation.slots[slot].child
        assert child is not None
        self.steering.vacant(child)

    def look(self) -> None:
        self.clock.now += LOOK
        self.loop.turn()

    def close(self) -> None:
        for worker in self.workers:
            worker.dies()
            worker.clean_up()
            worker.ours.close()
        for bound in self.estate.held.values():
            bound.close()
        self.loop.shut()


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Master]:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    master = Master(clock, tmp_path)
    yield master
    master.close()


def test_an_address_that_is_gone_is_closed_when_no_worker_has_a_flow_there(master: Master) -> None:
    before = own_descriptors()
    master.vacant(0)
    assert len(master.estate.held) == 1
    master.vacant(1)
    assert master.estate.held == {}
    assert own_descriptors() < before
    master.steering.udp(master.generation)  # which may be due only now
    assert master.sink.taken == []


def test_not_while_others_have_it_too_but_afterwards(master: Master) -> None:
    master.settled = False
    master.vacant(0)
    master.vacant(1)
    master.look()
    assert len(master.estate.held) == 1
    master.settled = True
    master.look()
    assert master.estate.held == {}


def test_one_that_leaves_has_no_say_any_more(master: Master) -> None:
    master.settled = False
    master.vacant(0)
    master.vacant(1)
    master.generation.leaving = master.settled = True
    master.look()
    assert len(master.estate.held) == 1
