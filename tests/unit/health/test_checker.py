"""When servers are asked, and what is told of it. The clock is a number here."""

import asyncio
import contextlib
import errno
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from l4d.address import Inet
from l4d.health.checker import FIRST_WITHIN, JITTER, LACK_PAUSE, LACK_TOLD, PATIENCE, Checker
from l4d.health.probe import Answer, Known, Target
from l4d.log.log import Log
from l4d.stats.standing import Verdict
from l4d.terms import Level, ServerState
from tests.kit.jumping import JumpingLoop, run_jumping
from tests.unit.health.making import make_check

ONE = Target("web", "one", Inet("192.0.2.1", 80))
GOOD = Answer(well=True)
BAD = Answer(well=False, why="is ill")

Behaviour: TypeAlias = Callable[[], Awaitable[Answer]]


class Lines:
    """A log's sink that keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, level: Level, who: str, text: str) -> bool:
        self.lines.append(f"{level.value} {who}: {text}")
        return True


class Told:
    """Reports that are kept."""

    def __init__(self) -> None:
        self.results: list[bool] = []
        self.verdicts: list[tuple[str, Verdict, str]] = []
        self.wishes: list[tuple[ServerState | None, int | None]] = []

    def checked(self, target: Target, well: bool, why: str) -> None:
        self.results.append(well)

    def judged(self, target: Target, verdict: Verdict, why: str) -> None:
        self.verdicts.append((target.server, verdict, why))

    def wanted(self, target: Target, state: ServerState | None, percent: int | None) -> None:
        self.wishes.append((state, percent))


class Scripted:
    """A probe that does as it is told, the last thing for ever."""

    def __init__(self, *script: Behaviour | Answer | Exception) -> None:
        self.script = deque(script)
        self.asked_at: list[float] = []
        self.running = 0
        self.most_running = 0

    async def ask(self, target: Target) -> Answer:
        self.asked_at.append(asyncio.get_running_loop().time())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            does = self.script.popleft() if len(self.script) > 1 else self.script[0]
            if isinstance(does, Exception):
                raise does
            return does if isinstance(does, Answer) else await does()
        finally:
            self.running -= 1


class Scene:
    """A checker with a scripted probe."""

    def __init__(self, probe: Scripted, **keys: Any) -> None:
        self.probe = probe
        self.told = Told()
        self.sink = Lines()
        log = Log(self.sink, Level.INFO, "control")  # type: ignore[arg-type]
        self.checker = Checker(make_check(**keys), probe, self.told, log, random.Random(1))


async def never() -> Answer:
    await asyncio.Event().wait()
    return GOOD


def after(seconds: float, answer: Answer = GOOD) -> Behaviour:
    async def behaviour() -> Answer:
        await asyncio.sleep(seconds)
        return answer

    return behaviour


async def deaf() -> Answer:
    """Not to be cancelled, for a long time."""
    until = asyncio.get_running_loop().time() + 30
    while (left := until - asyncio.get_running_loop().time()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(left)
    return GOOD


def test_a_server_is_asked_each_interval_less_up_to_a_tenth() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(GOOD), interval=2.0)
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(100)
        await scene.checker.close()

        times = scene.probe.asked_at
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert len(pauses) > 40
        assert all(1.8 <= pause <= 2.0 for pause in pauses)
        assert max(pauses) - min(pauses) > 0.1

    run_jumping(conversation())


def test_first_checks_of_many_are_soon_and_spread() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(GOOD), interval=60.0)
        for number in range(500):
            scene.checker.watch(Target("web", str(number), Inet("192.0.2.1", 80)), Known(Verdict.UNKNOWN))
        await asyncio.sleep(2)
        await scene.checker.close()

        times = scene.probe.asked_at
        assert len(times) == 500
        assert max(times) <= FIRST_WITHIN
        assert max(times) - min(times) > FIRST_WITHIN / 2

    run_jumping(conversation())


def test_a_server_alone_is_asked_at_once() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(GOOD), interval=60.0)
        scene.checker.watch(ONE, Known(Verdict.UNKNOWN))
        await asyncio.sleep(0.05)
        assert scene.told.verdicts == [("one", Verdict.UP, "the check was good")]
        await scene.checker.close()

    run_jumping(conversation())


def test_watched_twice_is_watched_once() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(GOOD), interval=60.0)
        scene.checker.watch(ONE, Known(Verdict.UNKNOWN))
        scene.checker.watch(ONE, Known(Verdict.DOWN))
        await asyncio.sleep(5)
        assert scene.told.results == [True]
        assert scene.told.verdicts == [("one", Verdict.UP, "the check was good")]
        await scene.checker.close()

    run_jumping(conversation())


def test_a_check_that_takes_longer_than_the_interval_is_not_overlapped() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(after(3.5)), interval=2.0, timeout=5.0)
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(60)
        assert scene.probe.most_running == 1
        assert len(scene.probe.asked_at) >= 16  # each as soon as the last has ended
        await scene.checker.close()

    run_jumping(conversation())


def test_no_answer_within_the_timeout_is_a_failure() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(never), fall=2)
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(5)
        assert scene.told.verdicts == [("one", Verdict.DOWN, "2 checks failed, the last: timed out after 1 s")]
        assert set(scene.told.results) == {False}
        await scene.checker.close()

    run_jumping(conversation())


def test_a_check_that_cannot_be_cancelled_goes_on_failing_and_is_not_asked_again() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(deaf), fall=3)
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(10)
        assert scene.told.verdicts == [("one", Verdict.DOWN, "3 checks failed, the last: timed out after 1 s")]
        assert len(scene.probe.asked_at) == 1
        await asyncio.sleep(30)
        assert len(scene.probe.asked_at) == 2  # it has ended, long ago
        await scene.checker.close()
        await asyncio.sleep(60)

    run_jumping(conversation())


def test_a_check_that_cannot_be_cancelled_does_not_keep_the_checker_from_closing() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(deaf))
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        before = loop.time()
        await scene.checker.close()
        assert loop.time() - before == pytest.approx(PATIENCE)
        await asyncio.sleep(60)
        assert scene.told.results == []

    run_jumping(conversation())


def test_time_this_process_slept_through_is_not_the_servers_fault() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(after(0.5), GOOD), timeout=1.0, fall=1)
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(0.1)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        loop.sleep_through(3)
        await asyncio.sleep(5)
        assert set(scene.told.results) == {True}
        await scene.checker.close()

    run_jumping(conversation())


def test_what_the_network_does_is_a_reason() -> None:
    async def conversation() -> None:
        failures = (ConnectionRefusedError(111, "x"), EOFError("closed"), ValueError("odd\nanswer"))
        for failure, why in zip(failures, ("connection refused", "closed", "odd answer"), strict=True):
            scene = Scene(Scripted(failure))
            scene.checker.watch(ONE, Known(Verdict.UNKNOWN))
            await asyncio.sleep(0.5)
            assert scene.told.verdicts == [("one", Verdict.DOWN, f"the check failed: {why}")]
            assert scene.sink.lines == []
            await scene.checker.close()

    run_jumping(conversation())


def test_a_mistake_of_ours_is_told_once_and_counts_as_failed() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(KeyError("oh")), fall=3)
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(10)
        await scene.checker.close()
        assert scene.told.verdicts == [("one", Verdict.DOWN, "3 checks failed, the last: a bug in l4d: KeyError")]
        [line] = scene.sink.lines
        assert line.startswith("error control: a bug in the check of type tcp, asking web/one")
        assert "KeyError: 'oh'" in line

    run_jumping(conversation())


def test_a_server_that_could_not_be_asked_for_a_lack_of_ours_is_not_judged() -> None:
    async def conversation() -> None:
        lack = OSError(errno.EMFILE, "Too many open files")
        scene = Scene(Scripted(BAD, lack, lack, lack, BAD, GOOD), fall=2, interval=2.0)
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(30)
        await scene.checker.close()
        assert scene.told.results[:3] == [False, False, True], "the failures around it are still in a row"
        assert scene.told.verdicts[0] == ("one", Verdict.DOWN, "2 checks failed, the last: is ill")

    run_jumping(conversation())


def test_for_a_lack_of_ours_nobody_waits_for_a_whole_interval() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(OSError(errno.ENOMEM, "x"), OSError(errno.ENOMEM, "x"), GOOD), interval=3600.0)
        scene.checker.watch(ONE, Known(Verdict.UNKNOWN))
        await asyncio.sleep(10)
        first, second, third = scene.probe.asked_at
        assert LACK_PAUSE * (1 - JITTER) <= second - first <= LACK_PAUSE
        assert third - second <= LACK_PAUSE
        assert scene.told.verdicts == [("one", Verdict.UP, "the check was good")]
        await scene.checker.close()

    run_jumping(conversation())


def test_a_lack_of_ours_is_told_once_in_a_while() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(OSError(errno.EMFILE, "x")))
        for number in range(300):
            scene.checker.watch(Target("web", str(number), Inet("192.0.2.1", 80)), Known(Verdict.UP))
        await asyncio.sleep(LACK_TOLD)
        assert scene.sink.lines == [
            "warning control: checks of web have to wait, what was known holds: too many open files"
        ]
        await asyncio.sleep(LACK_TOLD)
        assert len(scene.sink.lines) == 2
        assert scene.told.results == []
        await scene.checker.close()

    run_jumping(conversation())


def test_nothing_is_told_of_a_server_that_is_forgotten() -> None:
    async def conversation() -> None:
        for moment in (0.0, 0.5, 1.5):  # before, while and after it is asked
            scene = Scene(Scripted(after(0.9)))
            scene.checker.watch(ONE, Known(Verdict.UNKNOWN))
            await asyncio.sleep(moment)
            told = list(scene.told.results)
            scene.checker.forget(ONE)
            await asyncio.sleep(10)
            assert scene.told.results == told
            assert scene.probe.running == 0
            await scene.checker.close()

    run_jumping(conversation())


def test_a_server_may_be_forgotten_by_whoever_is_told_of_it() -> None:
    async def conversation() -> None:
        scene = Scene(Scripted(Answer(well=True, state=ServerState.DRAIN)))
        scene.told.checked = lambda target, well, why: scene.checker.forget(target)  # type: ignore[method-assign]
        scene.checker.watch(ONE, Known(Verdict.UNKNOWN))
        await asyncio.sleep(10)
        assert len(scene.probe.asked_at) == 1
        assert scene.told.verdicts == []
        assert scene.told.wishes == []
        await scene.checker.close()

    run_jumping(conversation())


def test_an_agents_wishes_are_told_when_they_change() -> None:
    async def conversation() -> None:
        drain, half = Answer(well=True, state=ServerState.DRAIN), Answer(well=True, percent=50)
        scene = Scene(Scripted(GOOD, drain, drain, half, BAD, half))
        scene.checker.watch(ONE, Known(Verdict.UP))
        await asyncio.sleep(30)
        assert scene.told.wishes == [(ServerState.DRAIN, None), (ServerState.DRAIN, 50)]
        await scene.checker.close()

    run_jumping(conversation())
