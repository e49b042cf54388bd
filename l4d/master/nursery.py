"""The nursery: workers are born, say ready, die, and are replaced; one that hangs is killed.

It knows nothing of configurations and reloads; the master is told what happened through `Parent`.
"""

import os
import signal
import time
from typing import Protocol

from l4d.child import channel
from l4d.errors import StartError
from l4d.linux.process import describe_end
from l4d.log.log import Log
from l4d.loop.loop import IN, Loop
from l4d.master.generation import READY_TIMEOUT, Child, Generation, Slot, died_early, pause_before_replacing
from l4d.master.pulse import Pulse
from l4d.master.spawn import Spawner
from l4d.master.timers import Timers
from l4d.stats import catalogue
from l4d.stats.board import BoardFullError

RETRY_PAUSE = 1.0
"""Before a worker that could not be forked is tried again, in seconds."""


class Parent(Protocol):
    """Who is told."""

    log: Log

    def worker_ready(self, child: Child) -> None:
        """A worker could serve, and waits for the word to begin."""
        ...

    def worker_said(self, child: Child, word: bytes) -> None:
        """A worker said any other word."""
        ...

    def worker_left(self, child: Child) -> None:
        """A worker of a generation that leaves is gone."""
        ...

    def replaced(self, role: str) -> None:
        """A process has died, and another one is to take its place."""
        ...

    def worker_died_unready(self, generation: Generation, words: str) -> None:
        """A worker of a generation that does not serve yet is gone, as *words* say."""
        ...


class Nursery:
    """All the children of one master."""

    def __init__(self, loop: Loop, timers: Timers, spawner: Spawner, parent: Parent) -> None:
        self._loop = loop
        self._timers = timers
        self._spawner = spawner
        self._board = spawner.board
        self._columns = spawner.columns
        self._parent = parent

    def fill(self, generation: Generation) -> None:
        """A worker for each slot. Raises StartError; those that were born are killed then."""
        try:
            for slot in generation.slots:
                self._bear(generation, slot)
        except (OSError, BoardFullError) as error:
            generation.leaving = True
            self.kill(generation)
            raise StartError(f"starting the workers: {error}") from None

    def tell(self, generation: Generation, word: bytes, *descriptors: int) -> None:
        """Say one word to every worker of *generation*."""
        for child in generation.children:
            channel.say(child.channel, word, *descriptors)

    def kill(self, generation: Generation) -> None:
        """What is left of *generation* goes now."""
        for child in generation.children:
            signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)

    def _bear(self, generation: Generation, slot: Slot) -> Child:
        child = slot.child = self._spawner.worker(generation, slot.number)
        self._loop.watch(child.channel.fileno(), IN, lambda _mask: self._on_word(child))
        self._loop.watch(child.pidfd, IN, lambda _mask: self._on_exit(child))
        return child

    def _on_word(self, child: Child) -> None:
        heard = channel.hear(child.channel)
        if heard is None:
            return
        if heard[0] == channel.READY:
            child.ready = True
            Pulse(self._timers, lambda: self._last_beat(child), lambda: self._give_up(child, "hangs")).listen()
            self._parent.worker_ready(child)
        elif heard[0]:
            self._parent.worker_said(child, heard[0])
        else:
            self._loop.forget(child.channel.fileno())  # its end; the pidfd tells the rest

    def _last_beat(self, child: Child) -> int | None:
        """Its heartbeat on the board, in monotonic milliseconds; None when it is gone."""
        if not _has_its_slot(child):
            return None
        return self._board.row(child.row)[self._columns.of(catalogue.HEARTBEAT)]

    def _too_slow(self, child: Child) -> None:
        if _has_its_slot(child) and not child.ready:
            self._give_up(child, f"is not ready after {READY_TIMEOUT:g} s")

    def _give_up(self, child: Child, why: str) -> None:
        """It serves nobody (any more): its slot is to have another one, if its generation does not leave."""
        self._parent.log.error(f"worker {child.slot} (pid {child.pid}) {why}, and is killed")
        signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)

    def _on_exit(self, child: Child) -> None:
        _pid, status = os.waitpid(child.pid, 0)
        child.quiet |= status == 0  # it has left by itself; what it last said may not have been heard yet
        lost = sum(self._board.row(child.row)[column] for _, column in self._columns.each(catalogue.SESSIONS))
        self._bury(child)
        generation = child.generation
        words = f"worker {child.slot} (pid {child.pid}) {describe_end(status)}"
        if lost or not generation.leaving:
            self._parent.log.error(f"{words}; sessions lost with it: {lost}")
        if generation.leaving:
            self._parent.worker_left(child)
        elif generation.serving:
            self._replace(generation, generation.slots[child.slot], child)
        else:
            self._parent.worker_died_unready(generation, words)

    def _bury(self, child: Child) -> None:
        self._loop.forget(child.pidfd)
        self._loop.forget(child.channel.fileno())
        child.channel.close()
        os.close(child.pidfd)
        self._board.retire_row(child.row, self._columns.counters(), self._columns.used)
        child.generation.slots[child.slot].child = None

    def _replace(self, generation: Generation, slot: Slot, dead: Child) -> None:
        """A new worker in the slot of a dead one, at once, or after a pause if they keep dying."""
        self._parent.replaced("worker")
        slot.early_deaths = slot.early_deaths + 1 if died_early(dead, time.monotonic()) else 0
        pause = pause_before_replacing(slot.early_deaths)
        if pause:
            self._parent.log.warning(f"worker {slot.number} keeps dying; the next one starts in {pause:g} s")
        self._timers.after(pause, lambda: self._refill(generation, slot))

    def refill(self, generation: Generation, slot: int) -> None:
        """A worker for a slot of a generation that leaves; one that cannot be had is not tried again."""
        self._parent.replaced("worker")
        try:
            self._bear(generation, generation.slots[slot])
        except (OSError, BoardFullError) as error:
            self._parent.log.error(f"starting worker {slot} once more: {error}")

    def _refill(self, generation: Generation, slot: Slot) -> None:
        if generation.leaving:
            return
        try:
            child = self._bear(generation, slot)
        except (OSError, BoardFullError) as error:
            self._parent.log.seldom("refill", f"starting worker {slot.number}: {error}")
            self._timers.after(RETRY_PAUSE, lambda: self._refill(generation, slot))
            return
        # Those of a generation that starts have its time; the master looks after that.
        self._timers.after(READY_TIMEOUT, lambda: self._too_slow(child))


def _has_its_slot(child: Child) -> bool:
    """Whether it is not gone yet."""
    return child.generation.slots[child.slot].child is child
