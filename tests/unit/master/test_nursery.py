"""The nursery: who is told that a worker is ready or gone, which one is replaced, and when one is given up."""

import os
import socket
from collections.abc import Iterator
from signal import SIGKILL
from typing import cast

import pytest

from l4d.child import channel
from l4d.errors import StartError
from l4d.log.log import Log
from l4d.loop import loop as loop_module
from l4d.master import nursery as nursery_module
from l4d.master.generation import EARLY, FIRST_PAUSE, READY_TIMEOUT, Child, Generation, Slot
from l4d.master.nursery import RETRY_PAUSE, Nursery
from l4d.master.prepare import Prepared
from l4d.master.pulse import HEARTBEAT_TIMEOUT
from l4d.master.spawn import Spawner
from l4d.master.timers import Timers
from l4d.stats import catalogue
from l4d.stats.columns import Columns
from l4d.terms import Level
from tests.kit.processes import own_descriptors
from tests.kit.wait import wait_until
from tests.unit.making import Clock, Lines, NeverWaiting, OwnBoard
from tests.unit.master.played import Process


class Master:
    """The nursery with its loop, a clock that is a number, and all workers it ever had."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.loop = NeverWaiting()
        self.sink = Lines()
        self.log = Log(self.sink, Level.INFO, "master")
        self.board = OwnBoard(rows=8, columns=64)
        self.columns = Columns(64)
        self.heartbeat = self.columns.of(catalogue.HEARTBEAT)
        self.sessions = self.columns.of(catalogue.SESSIONS, "web")
        self.begun = self.columns.of(catalogue.SESSIONS_TOTAL, "web")
        self.told: list[str] = []
        self.replacements: list[str] = []  # the roles of those that were replaced
        self.refusals = 0  # so many forks fail
        self.hanging: set[int] = set()  # rows of workers whose heart has stopped
        self.workers: list[Process] = []
        self.children: list[Child] = []
        self.nursery = Nursery(self.loop, Timers(self.loop), cast(Spawner, self), self)

    # As the spawner

    def worker(self, generation: Generation, slot: int) -> Child:
        if self.refusals:
            self.refusals -= 1
            raise BlockingIOError(11, "no process to be had")
        worker = Process(generation.number)
        child = Child(
            worker.pid, worker.pidfd, worker.ours, generation, slot, self.board.take_row(), born=self.clock.now
        )
        self.workers.append(worker)
        self.children.append(child)
        return child

    # As the parent

    def worker_ready(self, child: Child) -> None:
        self.told.append(f"{child.generation.number} ready")
        if child.generation.serving:
            channel.say(child.channel, channel.BEGIN)

    def worker_said(self, child: Child, word: bytes) -> None:
        self.told.append(f"{child.generation.number} {word.decode()}")

    def replaced(self, role: str) -> None:
        self.replacements.append(role)

    def worker_left(self, child: Child) -> None:
        self.told.append(f"{child.generation.number} left")

    def worker_died_unready(self, generation: Generation, words: str) -> None:
        self.told.append(f"{generation.number} died: {words}")

    # As the test

    def fill(self, slots: int = 1) -> Generation:
        """A generation that starts."""
        generation = Generation(1, cast(Prepared, None), frozenset(), [Slot(number) for number in range(slots)])
        self.nursery.fill(generation)
        return generation

    def serving(self, slots: int = 1) -> Generation:
        """A generation whose workers serve."""
        generation = self.fill(slots)
        for worker in self.workers:
            worker.says(channel.READY)
        self.turn()
        generation.serving = True
        self.nursery.tell(generation, channel.BEGIN)
        return generation

    def leave(self, generation: Generation) -> None:
        generation.leaving = True
        self.nursery.tell(generation, channel.DRAIN)

    def turn(self) -> None:
        for _ in range(3):
            self.loop.turn()

    def passes(self, seconds: float) -> None:
        """So much time passes, half a second at a time, in which hearts beat."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now = min(self.clock.now + 0.5, end)
            self._beat()
            self.turn()

    def stop_for(self, seconds: float) -> None:
        """The master and all workers stand still for so long."""
        self.clock.now += seconds
        self.turn()

    def _beat(self) -> None:
        for child in self.children:
            if child.ready and child.generation.slots[child.slot].child is child and child.row not in self.hanging:
                self.board.row(child.row)[self.heartbeat] = int(self.clock.now * 1000)

    def dies(self, worker: Process) -> None:
        worker.dies()
        self.turn()

    def until_born(self, number: int) -> None:
        """Until there have been so many workers."""

        def born() -> bool:
            self.turn()
            return len(self.workers) >= number

        wait_until(f"worker number {number} is born", born)

    def until_gone(self, worker: Process) -> None:
        wait_until("it is gone", lambda: not worker.lives())
        self.turn()

    def close(self) -> None:
        for child in self.children:
            child.generation.leaving = True
        for worker in self.workers:
            if worker.lives():
                self.dies(worker)
        for worker in self.workers:
            worker.clean_up()


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch) -> Iterator[Master]:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    monkeypatch.setattr(nursery_module, "time", clock)
    master = Master(clock)
    before = own_descriptors()
    yield master
    master.close()
    assert own_descriptors() == before
    master.loop.shut()


# Birth


def test_every_slot_gets_a_worker_and_the_master_is_told_of_each_that_is_ready(master: Master) -> None:
    generation = master.fill(slots=2)
    assert [child.slot for child in generation.children] == [0, 1]
    for worker in master.workers:
        worker.says(channel.READY)
    master.turn()
    assert master.told == ["1 ready", "1 ready"]
    assert generation.ready
    assert [worker.listen() for worker in master.workers] == [[], []], "it is the master that says begin"


def test_if_one_cannot_be_forked_those_that_were_are_killed(master: Master) -> None:
    generation = Generation(1, cast(Prepared, None), frozenset(), [Slot(0), Slot(1)])
    fork = master.worker

    def fork_one(generation: Generation, slot: int) -> Child:
        master.refusals = slot
        return fork(generation, slot)

    master.worker = fork_one  # type: ignore[method-assign]
    with pytest.raises(StartError, match=r"starting the workers: .*no process to be had"):
        master.nursery.fill(generation)
    master.until_gone(master.workers[0])
    assert generation.children == []
    assert master.told == ["1 left"]


def test_a_word_reaches_every_worker_of_the_generation(master: Master) -> None:
    generation = master.fill(slots=2)
    master.nursery.tell(generation, channel.DRAIN)
    assert [worker.listen() for worker in master.workers] == [[channel.DRAIN]] * 2


def test_the_master_is_told_of_a_worker_that_takes_nothing_new_any_more(master: Master) -> None:
    generation = master.serving()
    master.leave(generation)
    master.workers[0].says(channel.QUIET)
    master.turn()
    assert master.told == ["1 ready", "1 quiet"]


# Death


def test_one_that_dies_while_it_serves_is_replaced_at_once_and_the_next_one_begins_when_it_is_ready(
    master: Master,
) -> None:
    generation = master.serving(slots=2)
    victim, other = master.workers
    master.dies(victim)
    assert [child.slot for child in master.children] == [0, 1, 0]
    assert master.workers[2].listen() == []
    master.workers[2].says(channel.READY)
    master.turn()
    assert master.workers[2].at_work()
    assert other.at_work()
    assert generation.slots[0].child is master.children[2]
    assert master.replacements == ["worker"]


def test_what_was_lost_with_one_is_told_and_what_it_counted_is_kept(master: Master) -> None:
    master.serving()
    row = master.board.row(master.children[0].row)
    row[master.sessions], row[master.begun] = 3, 10
    master.dies(master.workers[0])
    assert master.sink.texts == [
        f"worker 0 (pid {master.workers[0].pid}) was killed by SIGKILL; sessions lost with it: 3",
    ]
    assert (master.board.total(master.sessions), master.board.total(master.begun)) == (0, 10)


def test_one_that_dies_before_its_generation_serves_is_the_masters_to_judge(master: Master) -> None:
    master.fill()
    master.dies(master.workers[0])
    assert master.told == [f"1 died: worker 0 (pid {master.workers[0].pid}) was killed by SIGKILL"]
    assert len(master.workers) == 1


def test_one_that_leaves_without_a_session_is_not_worth_a_line(master: Master) -> None:
    master.leave(master.serving())
    master.dies(master.workers[0])
    assert master.told == ["1 ready", "1 left"]
    assert master.sink.texts == []
    assert len(master.workers) == 1


def test_sessions_lost_with_one_that_was_leaving_are_told_too(master: Master) -> None:
    master.leave(master.serving())
    master.board.row(master.children[0].row)[master.sessions] = 2
    master.dies(master.workers[0])
    assert master.sink.texts[0].endswith("was killed by SIGKILL; sessions lost with it: 2")
    assert len(master.workers) == 1


def test_one_that_keeps_dying_is_replaced_after_a_growing_pause(master: Master) -> None:
    master.serving()
    master.dies(master.workers[0])
    for deaths, pause in enumerate((FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE), 2):
        master.dies(master.workers[-1])
        master.passes(0.9 * pause)
        assert len(master.workers) == deaths
        master.passes(0.2 * pause)
        assert len(master.workers) == deaths + 1
    assert master.sink.texts[-1] == "worker 0 keeps dying; the next one starts in 0.4 s"


def test_one_that_has_lived_for_a_while_is_replaced_at_once_again(master: Master) -> None:
    master.serving()
    for _ in range(3):
        master.dies(master.workers[-1])
        master.passes(1)
    master.workers[-1].says(channel.READY)
    master.passes(EARLY)
    before = len(master.workers)
    master.dies(master.workers[-1])
    assert len(master.workers) == before + 1


def test_nobody_is_born_into_a_generation_that_leaves_meanwhile(master: Master) -> None:
    generation = master.serving()
    for _ in range(2):
        master.dies(master.workers[-1])
    master.leave(generation)
    master.passes(2 * FIRST_PAUSE)
    assert len(master.workers) == 2


def test_one_can_be_born_for_a_slot_of_a_generation_that_leaves_and_the_master_hears_it(master: Master) -> None:
    """What is queued at the sockets of a dead one may have to be read before they are closed."""
    generation = master.serving(slots=2)
    master.leave(generation)
    master.dies(master.workers[1])
    master.nursery.refill(generation, 1)
    late = master.workers[2]
    assert generation.slots[1].child is master.children[2]
    late.says(channel.READY)
    late.says(channel.MOVED)
    late.says(channel.QUIET)
    master.turn()
    assert master.told == ["1 ready", "1 ready", "1 left", "1 ready", "1 moved", "1 quiet"]
    master.dies(late)
    master.passes(RETRY_PAUSE)
    assert master.told[6:] == ["1 left"]
    assert len(master.workers) == 3


def test_one_that_cannot_be_forked_for_a_generation_that_leaves_is_not_tried_again(master: Master) -> None:
    generation = master.serving()
    master.leave(generation)
    master.dies(master.workers[0])
    master.refusals = 1
    master.nursery.refill(generation, 0)
    assert master.sink.texts[-1] == "starting worker 0 once more: [Errno 11] no process to be had"
    master.passes(2 * RETRY_PAUSE)
    assert len(master.workers) == 1
    assert generation.children == []


def test_one_that_cannot_be_forked_is_tried_again_in_a_moment(master: Master) -> None:
    master.serving()
    master.refusals = 1
    master.dies(master.workers[0])
    assert len(master.workers) == 1
    assert master.sink.texts[-1] == "starting worker 0: [Errno 11] no process to be had"
    master.passes(RETRY_PAUSE)
    assert len(master.workers) == 2


# Hanging


def test_one_that_hangs_is_killed_and_replaced_and_the_others_are_not(master: Master) -> None:
    master.serving(slots=2)
    master.passes(2 * HEARTBEAT_TIMEOUT)
    victim, other = master.workers
    master.hanging.add(master.children[0].row)
    master.passes(HEARTBEAT_TIMEOUT - 0.5)
    assert victim.lives()
    master.passes(HEARTBEAT_TIMEOUT / 4 + 0.5)
    master.until_born(3)
    assert not victim.lives()
    assert other.at_work()
    assert master.sink.texts == [
        f"worker 0 (pid {victim.pid}) hangs, and is killed",
        f"worker 0 (pid {victim.pid}) was killed by SIGKILL; sessions lost with it: 0",
    ]


def test_one_that_hangs_while_it_leaves_is_killed_and_not_replaced(master: Master) -> None:
    master.leave(master.serving())
    master.hanging.add(master.children[0].row)
    master.passes(HEARTBEAT_TIMEOUT * 1.5)
    master.until_gone(master.workers[0])
    assert master.sink.texts == [f"worker 0 (pid {master.workers[0].pid}) hangs, and is killed"]
    assert master.told == ["1 ready", "1 left"]
    assert len(master.workers) == 1


def test_when_all_were_stopped_for_long_and_go_on_nobody_is_killed(master: Master) -> None:
    master.serving()
    master.passes(HEARTBEAT_TIMEOUT)
    for _ in range(3):
        master.stop_for(10 * HEARTBEAT_TIMEOUT)
        master.passes(HEARTBEAT_TIMEOUT)
    assert master.workers[0].at_work()
    assert master.sink.texts == []


def test_the_next_one_in_a_row_of_the_board_is_not_blamed_for_the_silence_of_the_last(master: Master) -> None:
    master.serving()
    master.passes(HEARTBEAT_TIMEOUT)
    master.hanging.add(master.children[0].row)
    master.passes(HEARTBEAT_TIMEOUT / 2)
    master.dies(master.workers[0])
    master.workers[1].says(channel.READY)
    master.turn()
    assert master.children[1].row == master.children[0].row
    master.passes(HEARTBEAT_TIMEOUT * 0.8)
    assert master.workers[1].at_work()


def test_a_replacement_that_never_gets_ready_is_killed_and_tried_again_after_a_growing_pause(master: Master) -> None:
    master.serving()
    master.dies(master.workers[0])
    for _ in range(2):
        slow = master.workers[-1]
        master.passes(READY_TIMEOUT - 0.5)
        assert slow.lives()
        master.passes(0.5)
        master.until_gone(slow)
        assert f"worker 0 (pid {slow.pid}) is not ready after 20 s, and is killed" in master.sink.texts
        master.passes(0.5)
    told = [text for text in master.sink.texts if "keeps dying" in text]
    assert told == [f"worker 0 keeps dying; the next one starts in {pause} s" for pause in (0.1, 0.2)]
    assert len(master.workers) == 4


def test_a_replacement_that_was_ready_in_time_and_died_is_not_given_up_once_more(master: Master) -> None:
    master.serving()
    master.dies(master.workers[0])
    master.workers[1].says(channel.READY)
    master.passes(1)
    master.dies(master.workers[1])
    master.passes(READY_TIMEOUT - 2)
    master.workers[2].says(channel.READY)
    master.passes(READY_TIMEOUT)
    assert master.workers[2].at_work()


def test_nobody_listens_to_one_that_is_not_ready_yet(master: Master) -> None:
    """It has the time that its generation has."""
    master.fill()
    master.passes(3 * HEARTBEAT_TIMEOUT)
    assert master.workers[0].lives()
    assert master.sink.texts == []


def test_all_that_is_left_of_a_generation_can_be_killed(master: Master) -> None:
    generation = master.serving(slots=2)
    master.leave(generation)
    os.kill(master.workers[0].pid, SIGKILL)
    master.nursery.kill(generation)
    for worker in master.workers:
        master.until_gone(worker)
    assert generation.children == []


def test_one_that_closes_its_channel_is_not_listened_to_without_end(master: Master) -> None:
    master.serving()
    master.workers[0].channel.shutdown(socket.SHUT_RDWR)
    master.turn()
    assert master.children[0].channel.fileno() not in master.loop._handlers
