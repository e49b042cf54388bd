"""Upgrading in place: the program now on disk takes over what we have, or everything is as it was."""

import os
import signal
from collections.abc import Callable
from typing import Protocol

from setproctitle import setproctitle

from l4d.errors import StartError
from l4d.linux import notify
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.master.estate import Estate
from l4d.master.generations import Generations
from l4d.master.successor import Successor
from l4d.master.timers import Timers
from l4d.stats import catalogue, changes

READY_TIMEOUT = 30.0
"""A program that is not ready by then will not be, in seconds. Its workers have 20."""


class Parent(Protocol):
    """Who is told."""

    def upgrade_failed(self) -> None:
        """Everything is as it was."""
        ...

    def upgraded(self) -> None:
        """Another process is l4d now; ours leave."""
        ...

    def successor_stops(self) -> None:
        """That one was told to stop at once."""
        ...


class Upgrade:
    """What USR2 asks for, one at a time."""

    def __init__(
        self, loop: Loop, estate: Estate, generations: Generations, parent: Parent, busy: Callable[[], bool]
    ) -> None:
        """While the master is *busy* with another change nothing is begun; `again` is called afterwards."""
        self._loop = loop
        self._timers = Timers(loop)
        self._estate = estate
        self._generations = generations
        self._parent = parent
        self._busy = busy
        self._wanted = False
        self._control_left = False
        self._cancelled = False
        self._successor: Successor | None = None

    @property
    def log(self) -> Log:
        """Where the master logs now."""
        return self._generations.log

    @property
    def under_way(self) -> bool:
        """Whether the next program has been started, and is not l4d yet."""
        return self._successor is not None and not self._successor.is_l4d

    def want(self) -> None:
        """Begin now, or when what is under way is over."""
        if self._successor is not None:
            self.log.warning("USR2: an upgrade is under way already; nothing was done")
        elif os.getpid() == 1:
            self.log.error("USR2: all processes here would end with this one, whose pid is 1; nothing was done")
        elif self._busy():
            self._wanted = True
        elif self._generations.serving is None:
            self.log.error("USR2: there are no workers; nothing was done")
        else:
            self._begin()

    def again(self) -> None:
        """Something is over: do what was wanted meanwhile."""
        if self._wanted:
            self._wanted = False
            self.want()

    def cancel(self, why: str) -> None:
        """Something else is to be done that leaves nothing for the next program."""
        if self._successor is not None and self.under_way:
            self._cancelled = True
            self._successor.give_up(why)

    def close(self) -> None:
        """The master ends: the next program, if it is l4d, is on its own."""
        if self._successor is not None:
            self._successor.close()

    def _begin(self) -> None:
        self.log.info("upgrading: starting the program now on disk")
        try:
            successor = self._successor = Successor(self._loop, self._estate, self)
        except (OSError, StartError) as error:
            self.successor_failed(str(error))
            return
        why = f"the next program (pid {successor.pid}) was not ready after {READY_TIMEOUT:g} s"
        self._timers.after(READY_TIMEOUT, lambda: successor.give_up(why))

    # Control makes room

    def room_wanted(self) -> None:
        """The next program's control is ready: ours leaves."""
        self._control_left = True
        self._generations.steward.stop()
        self.control_left()

    def control_left(self) -> None:
        """One control process of ours less, or none to begin with."""
        if self.under_way and self._control_left and self._generations.steward.idle:
            assert self._successor is not None
            self._successor.tell_room()

    # It comes about, or does not

    def successor_ready(self) -> None:
        """The next program could serve: it does, and our workers leave."""
        successor = self._successor
        assert successor is not None
        self._generations.give_way(successor)
        notify.main_pid(successor.pid)
        if self._estate.pid_file is not None:  # before anybody can see us gone
            self._estate.pid_file.write(successor.pid)
        successor.go()
        self.log.info(f"upgraded: pid {successor.pid} is l4d now, version {successor.version}")
        setproctitle("l4d: master process is shutting down")
        self.look()
        self._parent.upgraded()

    def relink_wanted(self, slot: int) -> None:
        """A worker of the next program was replaced."""
        assert self._successor is not None
        self._generations.leaving.handover.relink(slot)
        self._successor.tell_linked(slot)

    def stop_wanted(self) -> None:
        """The next program is told to stop: what we have left ends with it."""
        self._parent.successor_stops()

    def look(self) -> None:
        """Once another process is l4d: when nobody here takes anything new, tell it, and hold nothing any more."""
        quiet = all(generation.quiet for generation in self._generations.all)
        if self._successor is not None and self._successor.is_l4d and quiet:
            self._successor.tell_quiet()
            self._estate.leave()

    def pass_on(self, number: signal.Signals) -> None:
        """A signal that came before the next program was l4d, and that it is to heed."""
        assert self._successor is not None
        self._successor.signal(number)

    def successor_failed(self, why: str) -> None:
        """Nothing of the next program is left."""
        self._successor = None
        control_left, self._control_left = self._control_left, False
        cancelled, self._cancelled = self._cancelled, False
        if cancelled:
            self.log.info(f"the upgrade was given up: {why}")
        else:
            self._estate.count(catalogue.RELOADS, "failure")
            self._tell_failure(why.splitlines())
            serving = self._generations.serving
            if control_left and serving is not None:
                self._generations.steward.serve(serving)
        self._parent.upgrade_failed()

    def _tell_failure(self, lines: list[str]) -> None:
        """One line is in the last sentence, several are before it."""
        self._generations.note(changes.UPGRADE, changes.FAILURE, lines[0] if lines else "")
        if len(lines) != 1:
            for line in lines:
                self.log.error(line)
            lines = ["the next program did not start"]
        self.log.error(f"the upgrade failed: {lines[0]}; everything is as it was")
