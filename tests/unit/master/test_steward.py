"""The steward: one control process at work, the next one ready before the last one leaves.

The processes are real and do nothing; what they say is said by the test.
"""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from l4d.address import Host, Inet, Srv
from l4d.child import channel
from l4d.config import model
from l4d.log.log import Log
from l4d.loop import loop as loop_module
from l4d.master import steward as steward_module
from l4d.master.generation import EARLY, FIRST_PAUSE, READY_TIMEOUT, Generation
from l4d.master.prepare import Prepared
from l4d.master.pulse import HEARTBEAT_TIMEOUT
from l4d.master.spawn import Spawner
from l4d.master.steward import (
    LEAVE_TIMEOUT,
    RETRY_PAUSE,
    Steward,
    needs_control,
)
from l4d.master.timers import Timers
from l4d.stats import catalogue
from l4d.terms import CheckType, Level
from tests.kit.processes import descriptors
from tests.kit.wait import wait_until
from tests.unit.making import NO_ADMIN, NO_CHECK, Clock, Lines, NeverWaiting, config_of, member, upstream
from tests.unit.master.played import Process

CHECKED = upstream(check=replace(NO_CHECK, type=CheckType.TCP))
UNCHECKED = upstream(check=NO_CHECK)


class Nursery:
    """The steward with its loop, a clock that is a number, and all processes it ever started."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.loop = NeverWaiting()
        self.sink = Lines()
        self.log = Log(self.sink, Level.INFO, "master")
        self.left = 0
        self.looked = 0
        self.asked: list[str] = []
        self.replacements: list[str] = []  # the roles of those that were replaced
        self.refusals = 0  # so many forks fail
        self.last_beat: float | None = None  # of the one at work; None: it beats all the time
        self.processes: list[Process] = []
        self.steward = Steward(self.loop, Timers(self.loop), cast(Spawner, self), self)

    # As the spawner

    def control(self, number: int, _prepared: Prepared) -> tuple[int, int, socket.socket]:
        if self.refusals:
            self.refusals -= 1
            raise BlockingIOError(11, "no process to be had")
        process = Process(number)
        self.processes.append(process)
        return process.pid, process.pidfd, process.ours

    def control_heartbeat(self) -> float:
        return self.clock.now if self.last_beat is None else self.last_beat

    # As the parent

    def control_left(self) -> None:
        self.left += 1

    def replaced(self, role: str) -> None:
        self.replacements.append(role)

    def control_looked(self) -> None:
        self.looked += 1

    def control_asks(self, what: str) -> list[str]:
        self.asked.append(what)
        return ["no such file"]

    # As the test

    def serve(self, number: int, *upstreams: model.Upstream) -> Generation:
        config = SimpleNamespace(upstreams={each.name: each for each in upstreams or (CHECKED,)}, admin=NO_ADMIN)
        prepared = cast(Prepared, SimpleNamespace(config=config))
        generation = Generation(number, prepared, frozenset({(catalogue.SEAT, ("db", f"{number}"))}))
        self.steward.serve(generation)
        self.turn()
        return generation

    def turn(self) -> None:
        for _ in range(3):
            self.loop.turn()
            assert sum(process.at_work() for process in self.processes) <= 1

    def after(self, seconds: float) -> None:
        self.clock.now += seconds
        self.turn()

    def hang(self) -> None:
        """From now on nobody's heart beats."""
        self.last_beat = self.clock.now

    def passes(self, seconds: float) -> None:
        """So much time passes, a second at a time."""
        while seconds > 0:
            self.after(min(seconds, 1.0))
            seconds -= 1.0

    def ready(self, process: Process) -> None:
        process.says(channel.READY)
        self.turn()

    def dies(self, process: Process) -> None:
        process.dies()
        self.turn()

    def until(self, what: str, condition: Callable[[], object]) -> None:
        def turned() -> object:
            self.turn()
            return condition()

        wait_until(what, turned)

    @property
    def generations(self) -> list[int]:
        """Those of the processes that were started, in their order."""
        return [process.generation for process in self.processes]

    def close(self) -> None:
        """What a master does at its end; every process is gone then."""
        self.refusals = 1000
        self.steward.stop()
        for process in self.processes:
            if process.lives():
                process.dies()
        self.until("all are gone", lambda: self.steward.idle)
        self.loop.shut()
        for process in self.processes:
            process.clean_up()


@pytest.fixture
def nursery(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    before = descriptors(os.getpid())
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    monkeypatch.setattr(steward_module, "time", clock)
    nursery = Nursery(clock)
    yield nursery
    nursery.close()
    assert descriptors(os.getpid()) == before


def at_work(nursery: Nursery, number: int = 1) -> Process:
    """A control process that works for generation *number*, the first there is."""
    nursery.serve(number)
    nursery.ready(nursery.processes[-1])
    assert nursery.processes[-1].at_work()
    return nursery.processes[-1]


# Whether one is needed


@pytest.mark.parametrize("address", [Host("db.example", 5432), Srv("_db._tcp.example")])
def test_control_is_needed_to_resolve_names(address: Host | Srv) -> None:
    assert needs_control(config(upstream(servers=(member(), member(address=address)), check=NO_CHECK)))


def test_control_is_needed_to_check_servers() -> None:
    assert needs_control(config(upstream(name="plain", servers=(member(),), check=NO_CHECK), CHECKED))


def test_for_addresses_without_checks_no_control_is_needed() -> None:
    assert not needs_control(config(upstream(servers=(member(),), check=NO_CHECK)))
    assert not needs_control(config())


def config(*upstreams: model.Upstream) -> model.Config:
    return cast(model.Config, SimpleNamespace(upstreams={each.name: each for each in upstreams}, admin=NO_ADMIN))


@pytest.mark.parametrize("admin", [{"socket": "/run/l4d.sock"}, {"listen": Inet("127.0.0.1", 9000)}])
def test_control_is_needed_to_answer_the_operator(
    admin: dict[str, Any],
) -> None:
    asked = replace(config_of(UNCHECKED), admin=replace(NO_ADMIN, **admin))
    assert needs_control(asked)


def test_where_none_is_needed_none_is_started(nursery: Nursery) -> None:
    nursery.serve(1, UNCHECKED)
    assert nursery.processes == []
    assert nursery.steward.idle
    assert nursery.steward.keys == frozenset()


# From one to the next


def test_a_control_process_begins_when_it_is_ready(nursery: Nursery) -> None:
    nursery.serve(1)
    (process,) = nursery.processes
    assert process.listen() == []
    assert not nursery.steward.idle
    nursery.ready(process)
    assert process.listen() == [channel.GO]


def test_at_a_reload_the_last_one_works_until_the_next_one_is_ready_and_then_leaves_first(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    second = nursery.processes[1]
    assert (first.listen(), second.listen()) == ([channel.GO], [])
    nursery.ready(second)
    assert (first.listen(), second.listen()) == ([channel.GO, channel.STOP], [])
    nursery.dies(first)
    assert second.listen() == [channel.GO]
    assert nursery.sink.texts == []
    assert nursery.generations == [1, 2]


def test_the_numbers_of_both_are_kept_while_both_live(nursery: Nursery) -> None:
    first = at_work(nursery)
    second = nursery.serve(2)
    assert {labels for _, labels in nursery.steward.keys} == {("db", "1"), ("db", "2")}
    nursery.ready(nursery.processes[1])
    nursery.dies(first)
    assert nursery.steward.keys == second.keys


def test_one_that_does_not_leave_is_killed(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    nursery.ready(nursery.processes[1])
    nursery.after(LEAVE_TIMEOUT - 0.1)
    assert first.lives()
    nursery.after(0.2)
    nursery.until("the next one works", nursery.processes[1].at_work)
    assert not first.lives()
    assert nursery.sink.texts == []


def test_the_order_to_kill_one_that_has_left_by_itself_meets_nobody_else(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    nursery.ready(nursery.processes[1])
    nursery.dies(first)
    nursery.after(2 * LEAVE_TIMEOUT)
    assert nursery.processes[1].at_work()


def test_a_reload_that_comes_before_the_next_one_is_ready_has_the_last_word(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    nursery.serve(3)
    second, third = nursery.processes[1:]
    nursery.until("the second one is gone", lambda: not second.lives())
    assert first.at_work()
    nursery.ready(third)
    nursery.dies(first)
    assert third.at_work()
    assert nursery.generations == [1, 2, 3]
    assert nursery.sink.texts == []


def test_a_reload_that_comes_while_the_last_one_leaves_has_the_last_word(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    nursery.ready(nursery.processes[1])
    nursery.serve(3)
    second, third = nursery.processes[1:]
    nursery.dies(first)
    assert not second.at_work()
    nursery.ready(third)
    assert third.at_work()
    assert nursery.generations == [1, 2, 3]


def test_a_reload_after_which_none_is_needed_sends_the_one_there_is_away(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2, UNCHECKED)
    assert first.listen() == [channel.GO, channel.STOP]
    assert nursery.left == 0
    nursery.dies(first)
    assert nursery.steward.idle
    assert (nursery.left, nursery.sink.texts, nursery.generations) == (1, [], [1])


def test_a_reload_after_which_none_is_needed_ends_one_that_was_starting(nursery: Nursery) -> None:
    nursery.serve(1)
    nursery.serve(2, UNCHECKED)
    nursery.until("it is gone", lambda: nursery.steward.idle)
    assert (nursery.left, nursery.sink.texts, nursery.generations) == (1, [], [1])


# What is known


def test_where_no_control_is_needed_nothing_remains_to_be_found_out(nursery: Nursery) -> None:
    assert nursery.steward.knows(nursery.serve(1, UNCHECKED))


def test_a_generation_is_known_when_its_own_control_process_has_looked(nursery: Nursery) -> None:
    generation = nursery.serve(1)
    nursery.ready(nursery.processes[0])
    assert not nursery.steward.knows(generation)
    nursery.processes[0].says(channel.LOOKED)
    nursery.turn()
    assert nursery.looked == 1
    assert nursery.steward.knows(generation)
    assert not nursery.steward.knows(nursery.serve(2)), "the one at work has looked at another configuration"


# Deaths


def test_one_that_dies_at_work_is_replaced_at_once(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.dies(first)
    assert nursery.generations == [1, 1]
    assert nursery.sink.texts == [
        f"the control process (pid {first.pid}) was killed by SIGKILL; traffic goes on",
    ]
    nursery.ready(nursery.processes[1])
    assert nursery.processes[1].at_work()
    assert (nursery.left, nursery.replacements) == (1, ["control"])


def test_one_that_keeps_dying_is_replaced_after_a_growing_pause(nursery: Nursery) -> None:
    nursery.serve(1)
    nursery.dies(nursery.processes[0])
    assert len(nursery.processes) == 2  # the first time at once
    for deaths, pause in enumerate((FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE), 2):
        nursery.dies(nursery.processes[-1])
        nursery.after(0.9 * pause)
        assert len(nursery.processes) == deaths
        nursery.after(0.2 * pause)
        assert len(nursery.processes) == deaths + 1
    assert nursery.sink.texts[-1] == "the control process keeps dying; the next one starts in 0.4 s"


def test_one_that_hangs_is_killed_and_replaced(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.passes(2 * HEARTBEAT_TIMEOUT)
    assert first.lives()
    nursery.hang()
    nursery.passes(HEARTBEAT_TIMEOUT * 0.7)
    assert first.lives()
    nursery.passes(HEARTBEAT_TIMEOUT * 0.8)
    nursery.until("the next one has been started", lambda: len(nursery.processes) == 2)
    assert not first.lives()
    assert nursery.sink.texts == [
        f"the control process (pid {first.pid}) hangs, and is killed",
        f"the control process (pid {first.pid}) was killed by SIGKILL; traffic goes on",
    ]


def test_one_that_never_beats_is_given_as_long_from_when_it_was_told_to_begin(nursery: Nursery) -> None:
    """What the board says is of the one before it."""
    nursery.hang()
    first = at_work(nursery)
    nursery.passes(HEARTBEAT_TIMEOUT)
    assert first.lives()
    nursery.passes(HEARTBEAT_TIMEOUT / 2)
    nursery.until("it is gone", lambda: not first.lives())


def test_nobody_listens_for_one_that_was_not_told_to_begin(nursery: Nursery) -> None:
    nursery.hang()
    nursery.serve(1)
    nursery.passes(READY_TIMEOUT - 1)
    assert nursery.processes[0].lives()
    assert nursery.sink.texts == []


def test_nobody_listens_for_one_that_has_left_nor_takes_its_silence_for_that_of_the_next(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.passes(HEARTBEAT_TIMEOUT)
    nursery.hang()
    nursery.passes(HEARTBEAT_TIMEOUT / 2)
    nursery.serve(2)
    nursery.ready(nursery.processes[1])
    nursery.dies(first)
    nursery.passes(HEARTBEAT_TIMEOUT * 0.9)
    assert nursery.processes[1].at_work()
    assert nursery.sink.texts == []


def test_one_that_is_not_ready_in_time_is_killed_and_replaced(nursery: Nursery) -> None:
    nursery.serve(1)
    nursery.after(READY_TIMEOUT)
    nursery.until("the next one has been started", lambda: len(nursery.processes) == 2)
    (first, _) = nursery.processes
    assert not first.lives()
    assert (
        nursery.sink.texts[0]
        == f"the control process (pid {first.pid}) is not ready after {READY_TIMEOUT:g} s, and is killed"
    )


def test_one_that_has_lived_for_a_while_is_replaced_at_once_again(nursery: Nursery) -> None:
    nursery.serve(1)
    for _ in range(3):
        nursery.dies(nursery.processes[-1])
        nursery.after(1)
    nursery.ready(nursery.processes[-1])
    nursery.after(EARLY)
    before = len(nursery.processes)
    nursery.dies(nursery.processes[-1])
    assert len(nursery.processes) == before + 1


def test_a_reload_forgets_how_often_one_has_died(nursery: Nursery) -> None:
    nursery.serve(1)
    for _ in range(4):
        nursery.dies(nursery.processes[-1])
        nursery.after(1)
    nursery.serve(2)
    nursery.until("the old one is gone", lambda: not nursery.processes[-2].lives())
    nursery.dies(nursery.processes[-1])
    assert nursery.generations[-2:] == [2, 2]


def test_when_the_next_one_dies_while_it_starts_the_last_one_works_on_and_another_is_started(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    nursery.dies(nursery.processes[1])
    assert first.at_work()
    assert first.listen() == [channel.GO]
    assert nursery.generations == [1, 2, 2]
    nursery.ready(nursery.processes[2])
    nursery.dies(first)
    assert nursery.processes[2].at_work()


def test_when_the_last_one_dies_while_the_next_one_starts_it_is_not_replaced(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    nursery.dies(first)
    assert nursery.generations == [1, 2]
    assert not nursery.processes[1].at_work()
    nursery.ready(nursery.processes[1])
    assert nursery.processes[1].at_work()


def test_a_replacement_that_is_due_after_a_reload_is_not_made(nursery: Nursery) -> None:
    nursery.serve(1)
    for _ in range(2):
        nursery.dies(nursery.processes[-1])
    assert nursery.generations == [1, 1]
    nursery.serve(2)
    nursery.after(10)
    assert nursery.generations == [1, 1, 2]


def test_one_that_cannot_be_forked_is_tried_again_in_a_moment(nursery: Nursery) -> None:
    nursery.refusals = 2
    nursery.serve(1)
    assert nursery.processes == []
    nursery.after(RETRY_PAUSE)
    assert nursery.processes == []
    nursery.after(RETRY_PAUSE)
    assert nursery.generations == [1]
    assert nursery.sink.texts[0] == "starting the control process: [Errno 11] no process to be had"


def test_one_that_closes_its_channel_is_not_taken_for_ready_nor_listened_to_without_end(nursery: Nursery) -> None:
    nursery.serve(1)
    (process,) = nursery.processes
    process.channel.shutdown(socket.SHUT_RDWR)
    nursery.turn()
    assert process.ours.fileno() not in nursery.loop._handlers
    nursery.dies(process)
    assert nursery.generations == [1, 1]


# The end


def test_when_it_is_stopped_the_one_at_work_leaves_and_its_leaving_is_told(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.steward.stop()
    nursery.steward.stop()
    assert first.listen() == [channel.GO, channel.STOP]
    assert (nursery.left, nursery.steward.idle) == (0, False)
    nursery.dies(first)
    assert (nursery.left, nursery.steward.idle) == (1, True)
    assert (nursery.generations, nursery.sink.texts) == ([1], [])


def test_when_it_is_stopped_amid_a_reload_both_leave_and_none_begins(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    second = nursery.processes[1]
    nursery.steward.stop()
    assert (first.listen()[-1], second.listen()[-1]) == (channel.STOP, channel.STOP)
    nursery.dies(first)
    assert (nursery.left, nursery.steward.idle) == (1, False)
    nursery.dies(second)
    assert (nursery.left, nursery.steward.idle) == (2, True)
    assert channel.GO not in second.listen()


def test_one_that_says_ready_after_all_was_stopped_does_not_begin(nursery: Nursery) -> None:
    nursery.serve(1)
    nursery.steward.stop()
    nursery.ready(nursery.processes[0])
    assert channel.GO not in nursery.processes[0].listen()


def test_after_the_stop_nobody_is_replaced(nursery: Nursery) -> None:
    nursery.serve(1)
    for _ in range(2):
        nursery.dies(nursery.processes[-1])
    nursery.steward.stop()
    nursery.after(10)
    assert nursery.generations == [1, 1]
    assert nursery.steward.idle


def test_every_one_there_is_hears_of_a_new_log_file(nursery: Nursery) -> None:
    first = at_work(nursery)
    nursery.serve(2)
    nursery.steward.tell(channel.LOG, 2)
    assert first.listen()[-1] == nursery.processes[1].listen()[-1] == channel.LOG


# Beside another master


def test_one_that_is_ready_waits_until_the_other_masters_has_left(nursery: Nursery) -> None:
    asked: list[str] = []
    nursery.steward.wait_for_room(lambda: asked.append("room"))
    nursery.serve(1)
    assert asked == []
    nursery.ready(nursery.processes[0])
    assert asked == ["room"]
    assert channel.GO not in nursery.processes[0].listen()
    nursery.steward.have_room()
    assert nursery.processes[0].listen()[-1] == channel.GO
    nursery.steward.have_room()
    assert nursery.processes[0].listen().count(channel.GO) == 1


def test_when_there_is_room_already_the_next_one_does_not_ask(nursery: Nursery) -> None:
    asked: list[str] = []
    nursery.steward.wait_for_room(lambda: asked.append("room"))
    nursery.steward.have_room()
    at_work(nursery)
    assert asked == []
