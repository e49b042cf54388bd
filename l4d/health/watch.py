"""One server that is watched: a timer until it is asked, a task and a deadline while it is.

    begin_in -> (timer) -> _begin -> (task, deadline) -> _ended -> (timer) -> _begin -> ...
                                          |
                                          +-> _time_out: the check has failed, and the task is cancelled

A server is never asked twice at a time: the next ask waits until the last one's task has ended.
"""

import asyncio
from typing import TYPE_CHECKING

from l4d.health.probe import Answer, Known, Target
from l4d.health.verdict import Judge
from l4d.health.wishes import Wishes

if TYPE_CHECKING:
    from l4d.health.checker import Checker

OUR_FAULT = 0.1
"""A deadline that fires so many seconds too late is one this process slept through, not the server."""


class Watch:
    """Asks, judges and reports until it is stopped."""

    __slots__ = (
        "_checker", "_deadline", "_excused", "_judge", "_late", "_loop", "_next_at", "_stopped", "_target", "_task",
        "_timer", "_wishes",
    )  # fmt: skip

    def __init__(self, checker: "Checker", target: Target, known: Known) -> None:
        self._checker = checker
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._judge = Judge(known.verdict, checker.check.fall, checker.check.rise)
        self._wishes = Wishes(known.state, known.percent)
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Answer | None] | None = None
        self._next_at = 0.0
        self._late = False  # the check that runs has been concluded: it came too late
        self._excused = False  # it has been given more time, for we were late ourselves
        self._stopped = False

    def begin_in(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._begin)

    def stop(self) -> None:
        """Report nothing any more. A check that runs is cancelled; its task may live a little longer."""
        self._stopped = True
        for handle in (self._timer, self._deadline, self._task):
            if handle is not None:
                handle.cancel()

    def _begin(self) -> None:
        now = self._loop.time()
        self._next_at = now + self._checker.pause()
        self._late = self._excused = False
        self._task = self._checker.ask(self._target)
        self._task.add_done_callback(self._ended)
        self._deadline = self._loop.call_at(now + self._checker.check.timeout, self._time_out, self._task)

    def _time_out(self, task: "asyncio.Task[Answer | None]") -> None:
        """The check is too late, once more for each timeout that its task takes to leave."""
        if task.done():  # in this very turn: its end is about to be told
            return
        timeout, due = self._checker.check.timeout, self._deadline.when() if self._deadline is not None else 0.0
        overslept = self._loop.time() - due
        if overslept > OUR_FAULT and not self._excused:  # the answer may lie there unread
            self._excused = True
            self._deadline = self._loop.call_later(min(overslept, timeout), self._time_out, task)
            return
        self._late = True
        task.cancel()
        self._deadline = self._loop.call_later(timeout, self._time_out, task)
        self._conclude(Answer(well=False, why=f"timed out after {timeout:g} s"))

    def _ended(self, task: "asyncio.Task[Answer | None]") -> None:
        if self._stopped:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        if not self._late:
            self._hear(Answer(well=False, why="was cancelled") if task.cancelled() else task.result())
        if not self._stopped:  # by whoever was told the result
            self._task = None
            self._timer = self._loop.call_at(self._next_at, self._begin)

    def _hear(self, answer: Answer | None) -> None:
        if answer is None:  # the server was not asked, and that is no fault of its
            self._next_at = min(self._next_at, self._loop.time() + self._checker.pause_for_lack())
        else:
            self._conclude(answer)

    def _conclude(self, answer: Answer) -> None:
        """Report one result."""
        reports, target = self._checker.reports, self._target
        why = self._judge.hear(answer)
        reports.checked(target, answer.well, answer.why)
        if why and not self._stopped:
            reports.judged(target, self._judge.verdict, why)
        wished = self._wishes.hear(answer)
        if wished is not None and not self._stopped:
            reports.wanted(target, *wished)
