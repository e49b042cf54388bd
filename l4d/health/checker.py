"""The checks of one upstream's servers: which are asked, how one ask goes, who is told."""

import asyncio
import random
from typing import Protocol

from l4d.config.model import Check
from l4d.health.lack import lack_in
from l4d.health.probe import Answer, Known, Probe, Target
from l4d.health.watch import Watch
from l4d.health.words import one_line, reason
from l4d.log.log import Log
from l4d.stats.standing import Verdict
from l4d.terms import ServerState

JITTER = 0.1
"""The most of an interval that is left out, so that the checks of many servers do not stay together."""

FIRST_WITHIN = 1.0
FIRST_APART = 0.01
"""Seconds. The first checks of many servers are spread: over this for each, never over more than the former."""

LACK_PAUSE = 1.0
"""Seconds until a server is asked again that could not be asked for lack of a descriptor, a port, memory."""

LACK_TOLD = 60.0
"""Of that lack there is no more than one line in so many seconds, for each upstream."""

PATIENCE = 1.0
"""The longest that closing waits for checks to leave, in seconds."""

FAILURES = (OSError, EOFError, ValueError, asyncio.TimeoutError)  # the last is an OSError since Python 3.11
"""What a probe raises for a failed check."""


class Reports(Protocol):
    """Who is told what comes of the checks. None of these may raise, or wait."""

    def checked(self, target: Target, well: bool, why: str) -> None:
        """A check has a result; *why* it failed."""
        ...

    def judged(self, target: Target, verdict: Verdict, why: str) -> None:
        """The server is up or down from now on. *why* is for a log line: "2 checks were good", "is a replica"."""
        ...

    def wanted(self, target: Target, state: ServerState | None, percent: int | None) -> None:
        """The server's agent wants this from now on; None: of that it has never spoken."""
        ...


class Checker:
    """Asks the servers it is told to watch. To be used inside the running event loop."""

    def __init__(self, check: Check, probe: Probe, reports: Reports, log: Log, chance: random.Random) -> None:
        self.check = check
        self.reports = reports
        self._probe = probe
        self._log = log
        self._chance = chance
        self._watched: dict[Target, Watch] = {}
        self._tasks: set[asyncio.Task[Answer | None]] = set()
        self._bug_told = False
        self._lack_told_at = -LACK_TOLD

    def watch(self, target: Target, known: Known) -> None:
        """Ask *target* from now on, unless it is asked already. *known* is what is known of it."""
        if target in self._watched:
            return
        watch = self._watched[target] = Watch(self, target, known)
        spread = min(self.check.interval, FIRST_WITHIN, FIRST_APART * len(self._watched))
        watch.begin_in(spread * self._chance.random())

    def forget(self, target: Target) -> None:
        """Ask it no more. Nothing is reported of it after this."""
        watch = self._watched.pop(target, None)
        if watch is not None:
            watch.stop()

    async def close(self) -> None:
        """Forget all, and wait until the checks that run have left; not for long, should one of them not leave."""
        for target in list(self._watched):
            self.forget(target)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)

    # What follows is for Watch.

    def pause(self) -> float:
        """Seconds from the beginning of a check to that of the next."""
        return self.check.interval * (1 - JITTER * self._chance.random())

    def pause_for_lack(self) -> float:
        """Seconds until a server is asked that could not be asked now; no longer than the interval."""
        return min(self.check.interval, LACK_PAUSE) * (1 - JITTER * self._chance.random())

    def ask(self, target: Target) -> "asyncio.Task[Answer | None]":
        """A task that asks *target* once; None: it could not be asked, for a lack of ours.

        It raises nothing, and is cancelled when it is too late.
        """
        task = asyncio.get_running_loop().create_task(self._ask(target))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ask(self, target: Target) -> Answer | None:
        try:
            return await self._probe.ask(target)
        except Exception as error:
            lack = lack_in(error)
            if lack:
                self._tell_lack(target, lack)
                return None
            if isinstance(error, FAILURES):
                return Answer(well=False, why=reason(error))
            if not self._bug_told:  # our mistake: it is told, and the other checks go on
                self._bug_told = True
                self._log.bug(f"the check of type {self.check.type.value}, asking {target}")
            return Answer(well=False, why=one_line(f"a bug in l4d: {type(error).__name__}"))

    def _tell_lack(self, target: Target, lack: str) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._lack_told_at + LACK_TOLD:
            self._lack_told_at = now
            self._log.warning(f"checks of {target.upstream} have to wait, what was known holds: {lack}")
