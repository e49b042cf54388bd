"""The epoll loop, on socket pairs, with a clock that is a number."""

import gc
import os
import socket
from collections.abc import Callable, Iterator

import pytest

from l4d.loop import loop as module
from l4d.loop.deadlines import NEVER, Deadlines, DueError
from l4d.loop.loop import IN, LINGER, OUT, Loop
from tests.kit.processes import descriptors
from tests.unit.making import Clock, NeverWaiting

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def loop(clock: Clock) -> Iterator[Loop]:
    loop = NeverWaiting()
    yield loop
    loop.shut()


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def second_pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_handler_is_told_what_its_descriptor_is_ready_for(loop: Loop, pair: Pair) -> None:
    masks: list[int] = []
    loop.watch(pair[0].fileno(), IN | OUT, masks.append)
    loop.turn()
    pair[1].send(b"x")
    loop.turn()
    assert masks == [OUT, IN | OUT]


def test_an_event_is_told_again_until_it_is_dealt_with(loop: Loop, pair: Pair) -> None:
    masks: list[int] = []
    loop.watch(pair[0].fileno(), IN, masks.append)
    pair[1].send(b"x")
    loop.turn()
    loop.turn()
    pair[0].recv(1)
    loop.turn()
    assert masks == [IN, IN]


def test_a_hung_up_descriptor_from_which_nothing_is_wanted_does_not_wake_the_loop(loop: Loop, pair: Pair) -> None:
    masks: list[int] = []
    loop.watch(pair[0].fileno(), IN, masks.append)
    loop.want(pair[0].fileno(), 0, masks.append)
    pair[1].close()
    loop.turn()
    assert not masks


def test_what_is_wanted_may_change(loop: Loop, pair: Pair) -> None:
    first: list[int] = []
    second: list[int] = []
    loop.want(pair[0].fileno(), OUT, first.append)
    loop.turn()
    loop.want(pair[0].fileno(), IN, second.append)
    pair[1].send(b"x")
    loop.turn()
    assert (first, second) == ([OUT], [IN])


def test_a_forgotten_descriptor_may_be_forgotten_again_and_watched_again(loop: Loop, pair: Pair) -> None:
    masks: list[int] = []
    loop.watch(pair[0].fileno(), OUT, masks.append)
    loop.forget(pair[0].fileno())
    loop.forget(pair[0].fileno())
    loop.turn()
    assert not masks
    loop.want(pair[0].fileno(), OUT, masks.append)
    loop.turn()
    assert masks == [OUT]


def test_a_socket_is_closed_at_the_end_of_the_batch_so_no_newcomer_gets_its_number(
    loop: Loop, pair: Pair, second_pair: Pair
) -> None:
    """Both are ready in one batch; whoever is told first closes the other and opens a new socket."""
    fds = {pair[0].fileno(): second_pair[0], second_pair[0].fileno(): pair[0]}
    told: list[int] = []
    newcomers: list[socket.socket] = []

    def close_the_other(fd: int) -> None:
        told.append(fd)
        other = fds[fd]
        loop.close(other, other.fileno())
        newcomers.append(socket.socket())
        assert newcomers[0].fileno() not in fds
        assert other.fileno() in fds

    for fd in fds:
        loop.watch(fd, OUT, lambda _mask, fd=fd: close_the_other(fd))  # type: ignore[misc]
    loop.turn()
    assert len(told) == 1
    assert fds[told[0]].fileno() == -1
    newcomers[0].close()


def test_a_closed_descriptor_is_out_of_the_set_without_being_asked(loop: Loop, pair: Pair) -> None:
    masks: list[int] = []
    number = pair[0].fileno()
    loop.watch(number, OUT, masks.append)
    loop.close(pair[0], number)
    loop.turn()
    with socket.socket() as newcomer:
        assert newcomer.fileno() == number
        loop.watch(number, OUT, masks.append)
        loop.forget(number)
    assert not masks


def test_those_who_wait_are_told_when_their_time_has_come(loop: Loop, clock: Clock) -> None:
    due: list[str] = []
    waiting = loop.queue(10, due.append)
    waiting.enter("a", loop.now)
    clock.now += 9.9
    loop.turn()
    assert not due
    clock.now += 0.1
    loop.turn()
    assert due == ["a"]
    assert loop.now == clock.now


def test_queues_of_all_lengths_are_looked_after(loop: Loop, clock: Clock) -> None:
    due: list[str] = []
    long, short = loop.queue(10, due.append), loop.queue(1, due.append)
    long.enter("long", loop.now)
    short.enter("short", loop.now)
    clock.now += 1
    loop.turn()
    assert due == ["short"]
    clock.now += 9
    loop.turn()
    assert due == ["short", "long"]


def test_deadlines_come_due_in_every_turn_however_busy_the_loop_is(loop: Loop, clock: Clock, pair: Pair) -> None:
    events: list[int] = []
    due: list[float] = []

    def beat(name: str) -> None:
        due.append(clock.now)
        beats.enter(name, loop.now)

    def work(mask: int) -> None:
        events.append(mask)
        clock.now += 1  # and there is as much to do the next time

    beats = loop.queue(0.5, beat)
    beats.enter("a", loop.now)
    loop.watch(pair[0].fileno(), OUT, work)
    for _ in range(5):
        loop.turn()
    assert len(events) == 5
    assert len(due) == 4, "the first turn began before the time"


def test_a_deadline_that_was_touched_is_met_at_its_new_time(loop: Loop, clock: Clock) -> None:
    due: list[str] = []
    waiting = loop.queue(10, due.append)
    waiting.enter("a", loop.now)
    clock.now += 5
    waiting.enter("a", clock.now)
    clock.now += 5
    loop.turn()
    assert not due
    clock.now += 5
    loop.turn()
    assert due == ["a"]


def test_one_who_is_told_may_wait_again(loop: Loop, clock: Clock) -> None:
    due: list[float] = []

    def again(waiter: str) -> None:
        due.append(loop.now)
        waiting.enter(waiter, loop.now)

    waiting = loop.queue(10, again)
    waiting.enter("a", loop.now)
    for _ in range(3):
        clock.now += 10
        loop.turn()
    assert due == [1010, 1020, 1030]


class Waited:
    """An epoll set in which nothing happens, and which notes how long it was asked to wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.passing: list[Callable[[float], None]] = []  # what each wait does, the last one for want of others nothing

    def poll(self, timeout: float, _most: int) -> list[tuple[int, int]]:
        self.seconds.append(timeout)
        if self.passing:
            self.passing.pop(0)(timeout)
        return []

    def close(self) -> None:
        pass


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Waited:
    waited = Waited()
    monkeypatch.setattr("select.epoll", lambda: waited)
    return waited


def test_the_loop_waits_for_ever_when_nobody_has_a_deadline(clock: Clock, waited: Waited) -> None:
    loop = Loop()
    due: list[str] = []
    waiting = loop.queue(NEVER, due.append)
    waiting.enter("for ever", loop.now)
    loop.turn()
    assert waited.seconds == [-1]


def test_the_loop_waits_for_the_next_deadline_and_not_at_all_for_one_that_is_past(clock: Clock, waited: Waited) -> None:
    loop = Loop()
    due: list[str] = []
    loop.queue(3, due.append).enter("a", loop.now)
    loop.at_end(lambda: clock.pass_by(5))
    loop.turn()
    loop.turn()
    loop.turn()
    assert waited.seconds == [3, 0, -1]


def test_what_was_done_before_the_loop_runs_is_not_waited_for_once_more(clock: Clock, waited: Waited) -> None:
    loop = Loop()
    waiting: Deadlines[str] = loop.queue(3, lambda _waiter: loop.stop())
    waiting.enter("a", loop.now)
    clock.now += 2
    waited.passing = [clock.pass_by]
    loop.run()
    assert waited.seconds == [1]


def test_the_time_others_have_had_the_cpu_is_not_waited_for_once_more(clock: Clock, waited: Waited) -> None:
    loop = Loop()
    loop.queue(3, list[str]().append).enter("a", loop.now)
    waited.passing = [lambda _timeout: clock.pass_by(0.5)] * LINGER
    loop.linger()
    loop.turn()
    assert waited.seconds == [*[0] * LINGER, 1.5]


def test_how_long_a_turn_took_is_told_without_the_wait(clock: Clock, waited: Waited) -> None:
    told: list[float] = []
    loop = Loop(observe=told.append)
    waiting: Deadlines[str] = loop.queue(3, lambda _waiter: clock.pass_by(0.25))
    waiting.enter("a", loop.now)
    waited.passing = [clock.pass_by]
    loop.at_end(lambda: clock.pass_by(0.5))
    loop.turn()
    loop.turn()
    assert told == [0.75, 0]


def test_run_goes_on_until_it_is_stopped(clock: Clock, waited: Waited) -> None:
    turns: list[float] = []

    def count(waiter: str) -> None:
        turns.append(loop.now)
        clock.now += 1
        if len(turns) == 3:
            loop.stop()
        waiting.enter(waiter, loop.now)

    loop = Loop()
    waiting = loop.queue(1, count)
    waiting.enter("a", loop.now - 1)
    loop.run()
    assert turns == [1000, 1001, 1002]


def test_a_bug_in_a_handler_leaves_the_loop_when_nobody_asked_for_it(loop: Loop, pair: Pair) -> None:
    def stumble(_mask: int) -> None:
        raise LookupError

    loop.watch(pair[0].fileno(), OUT, stumble)
    with pytest.raises(LookupError):
        loop.turn()


def test_a_bug_in_a_handler_costs_nobody_else_an_event(clock: Clock, pair: Pair, second_pair: Pair) -> None:
    bugs: list[object] = []
    told: list[int] = []

    def stumble(mask: int) -> None:
        told.append(mask)
        raise LookupError

    loop = NeverWaiting(bugs.append)
    loop.watch(pair[0].fileno(), OUT, stumble)
    loop.watch(second_pair[0].fileno(), OUT, stumble)
    loop.turn()
    loop.shut()
    assert bugs == [stumble, stumble]
    assert told == [OUT, OUT]


def test_a_bug_in_one_who_was_due_leaves_the_loop_when_nobody_asked_for_it(loop: Loop, clock: Clock) -> None:
    def stumble(_waiter: str) -> None:
        raise LookupError

    loop.queue(0, stumble).enter("a", clock.now)
    with pytest.raises(DueError):
        loop.turn()


def test_a_bug_in_one_who_was_due_costs_nobody_else_the_deadline(clock: Clock) -> None:
    bugs: list[object] = []
    told: list[str] = []

    def stumble(waiter: str) -> None:
        told.append(waiter)
        raise LookupError

    loop = NeverWaiting(bugs.append)
    first, second = loop.queue(1, stumble), loop.queue(1, stumble)
    for waiter in ("a", "b"):
        first.enter(waiter, loop.now)
    second.enter("c", loop.now)
    clock.now += 1
    loop.turn()
    loop.turn()
    loop.shut()
    assert sorted(told) == ["a", "b", "c"]
    assert sorted(map(str, bugs)) == ["a", "b", "c"]


def test_shutting_closes_what_was_still_to_be_closed(clock: Clock, pair: Pair) -> None:
    gc.collect()  # what other tests have left closes nothing in between
    before = descriptors(os.getpid())
    loop = Loop()
    loop.watch(pair[0].fileno(), IN, print)
    loop.close(pair[0], pair[0].fileno())
    loop.shut()
    assert pair[0].fileno() == -1
    assert descriptors(os.getpid()) == before - 1


class Yields:
    """Counts how often others were let run, and does something the first time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.count = 0
        self._meanwhile = meanwhile
        monkeypatch.setattr(os, "sched_yield", self)

    def __call__(self) -> None:
        self.count += 1
        if self.count == 1:
            self._meanwhile()


def test_a_loop_asked_to_linger_looks_again_a_few_times_before_it_sleeps_and_only_once(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    yields = Yields(monkeypatch)
    loop.turn()
    assert yields.count == 0
    loop.linger()
    loop.turn()
    assert yields.count == LINGER
    loop.turn()
    assert yields.count == LINGER


def test_what_comes_while_others_run_is_told_at_once(loop: Loop, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = pair
    yields = Yields(monkeypatch, lambda: other.send(b"x"))
    heard: list[int] = []
    loop.watch(one.fileno(), IN, heard.append)
    loop.linger()
    loop.turn()
    assert heard == [IN]
    assert yields.count == 1


def test_a_deadline_is_not_missed_by_lingering(loop: Loop, clock: Clock) -> None:
    due: list[str] = []
    loop.queue(1.0, due.append).enter("waiter", clock.now)
    clock.now += 2.0
    loop.linger()
    loop.turn()
    assert due == ["waiter"]
