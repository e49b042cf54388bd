"""The generations of a master: which one serves, which one starts, which ones leave. It knows nothing of signals.

    begin ----> starting --(commit)--> serving --(a commit, retire)--> leaving --> gone
                   |
                   +--(abandon)--> leaving

A commit is the one moment at which another generation becomes the present; an abandoned one leaves all as it was.
"""

from typing import Protocol

from l4d.child import channel
from l4d.errors import StartError
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.master.departures import Departures
from l4d.master.estate import Estate
from l4d.master.generation import Child, Generation, Slot
from l4d.master.nursery import Nursery
from l4d.master.prepare import Prepared
from l4d.master.spawn import Spawner
from l4d.master.steward import Steward
from l4d.master.timers import Timers
from l4d.stats import tally
from l4d.stats.board import BoardFullError
from l4d.stats.columns import Key

READY_TIMEOUT = 20.0
"""A generation that is not ready by then will not be, in seconds."""

LOOK_TIMEOUT = 3.0
"""A generation that is ready waits so many seconds for control to have checked and resolved what it serves."""

QUIET_TIMEOUT = 1.0
"""A worker that has not stopped accepting by then will not be waited for, in seconds."""


class Parent(Protocol):
    """Who is told."""

    def generation_settled(self) -> None:
        """The starting generation is the present one now; another one may begin."""
        ...

    def generation_failed(self, error: StartError) -> None:
        """The starting generation did not come up; what was before is as it was."""
        ...

    def generation_announced(self) -> None:
        """The present generation serves alone."""
        ...

    def process_left(self) -> None:
        """One worker or control process less."""
        ...


class Generations:
    """All of one master's, with the processes in them."""

    def __init__(self, loop: Loop, estate: Estate, log: Log, parent: Parent, *, detached: bool) -> None:
        """*log* is used until a configuration says where to; *detached* children hold no terminal open."""
        self.log = log
        self.serving: Generation | None = None
        self.starting: Generation | None = None
        self._estate = estate
        self._parent = parent
        self._last_keys: frozenset[Key] = frozenset()
        self._timers = Timers(loop)
        spawner = Spawner(estate.board, estate.columns, estate.control_row, detached=detached)
        self._nursery = Nursery(loop, self._timers, spawner, self)
        self._steward = Steward(loop, self._timers, spawner, self)
        self.leaving = Departures(self._timers, self._nursery, self)

    @property
    def all(self) -> list[Generation]:
        return [each for each in (self.serving, self.starting, *self.leaving.generations) if each is not None]

    @property
    def alone(self) -> bool:
        """Whether there is no process left. Control leaves after the last worker, once told to."""
        return self._steward.idle and not self.have_workers

    @property
    def have_workers(self) -> bool:
        return any(each.children for each in self.all)

    # One comes up, or does not

    def begin(self, prepared: Prepared) -> None:
        """Fork the workers of a new generation. Raises StartError; nothing of it is left then."""
        try:
            keys = tally.reserve(self._estate.columns, prepared.config)
            slots = [Slot(number) for number in range(prepared.slots)]
            generation = Generation(self._estate.last_number + 1, prepared, keys, slots)
            self._nursery.fill(generation)
        except (StartError, BoardFullError) as error:
            prepared.drop()
            self._forget_names()
            raise StartError(str(error)) from None
        self._estate.last_number = generation.number
        self.starting = generation
        self._steward.serve(generation)
        self._timers.after(READY_TIMEOUT, lambda: self._too_slow(generation))

    def worker_ready(self, child: Child) -> None:
        """A worker could serve: one that replaces another begins, all others wait for the commit."""
        if child.generation.serving:
            channel.say(child.channel, channel.BEGIN)
        else:
            self._commit_when_ready(child.generation)

    def control_looked(self) -> None:
        """Control knows every server: a generation that is ready otherwise is the present."""
        if self.starting is not None:
            self._commit_when_ready(self.starting)

    def _commit_when_ready(self, generation: Generation) -> None:
        """When all its workers are ready, a starting generation waits only for control to have looked."""
        if generation is not self.starting or not generation.ready:
            return
        if self._steward.knows(generation):
            self._commit(generation)
        else:
            self._timers.after(LOOK_TIMEOUT, lambda: self._commit_unseen(generation))

    def _commit_unseen(self, generation: Generation) -> None:
        if generation is self.starting:
            self.log.warning(f"not every server has been looked at after {LOOK_TIMEOUT:g} s; going on without")
            self._commit(generation)

    def worker_died_unready(self, generation: Generation, words: str) -> None:
        """A generation that loses a worker before it serves does not come up."""
        if generation is self.starting:
            self.abandon(f"{words} before it was ready")

    def _too_slow(self, generation: Generation) -> None:
        if generation is self.starting:
            self.abandon(f"its workers were not ready after {READY_TIMEOUT:g} s")

    def _commit(self, generation: Generation) -> None:
        """Every worker of the new generation accepts: the old one leaves."""
        prepared = generation.prepared
        old, self.serving, self.starting = self.serving, generation, None
        self._last_keys = generation.keys
        generation.serving = True
        self._nursery.tell(generation, channel.BEGIN)
        old_log, self.log = self.log, Log(prepared.sink, prepared.config.log.level, "master", self._estate.lost_line)
        for name, bound in prepared.plan.opened():
            protocol = prepared.config.listeners[name].protocol.value
            self.log.info(f"listening on {protocol} {bound.address} (listeners.{name})")
        if old is not None:
            self._leave(old, channel.DRAIN, prepared)
        old_log.sink.close()
        self._estate.keep(prepared)
        if old is None:
            self._announce(generation)
        else:
            self._timers.after(QUIET_TIMEOUT, lambda: self._announce(generation))
            self.leaving.look(old)
        self._parent.generation_settled()

    def generation_quiet(self, old: Generation) -> None:
        """From the word "ready" on every client meets the new configuration, so the old workers must have stopped."""
        if self.serving is not None and old.number < self.serving.number:
            self._announce(self.serving)

    def _announce(self, generation: Generation) -> None:
        """Say once that *generation* serves, alone."""
        if generation is not self.serving or generation.announced:
            return
        generation.announced = True
        self.log.info(f"ready: generation {generation.number}, {len(generation.slots)} workers")
        self._parent.generation_announced()

    def abandon(self, why: str) -> None:
        """The starting generation does not come up: without it all is as it was."""
        assert self.starting is not None
        generation, self.starting = self.starting, None
        self.leaving.kill(generation)
        if self.serving is not None:
            self._steward.serve(self.serving)
        else:
            self._steward.stop()
        generation.prepared.drop()
        self._parent.generation_failed(StartError(f"generation {generation.number} did not come up: {why}"))
        self._left(generation)

    # One leaves

    def retire(self) -> None:
        """What serves finishes and leaves, without a successor; the listening sockets are closed."""
        if self.starting is not None:
            self.abandon("the workers are to leave")
        if self.serving is not None:
            serving, self.serving = self.serving, None
            self._estate.release_sockets()
            self._leave(serving, channel.FINISH, serving.prepared)

    def end(self) -> None:
        """Every process ends now, and every session with it."""
        self._steward.stop()
        for generation in self.all:
            self.leaving.end_sessions(generation)

    def end_control(self) -> None:
        """Nobody is left to check and resolve for."""
        self._steward.stop()

    def _leave(self, generation: Generation, word: bytes, present: Prepared) -> None:
        """Let it go by *word*, within the drain_timeout of what is the *present*."""
        self.leaving.begin(generation, word, present.config.main.drain_timeout)
        self._left(generation)

    def worker_said(self, child: Child, word: bytes) -> None:
        """A worker has a word about its leaving."""
        self.leaving.heard(child, word)

    def worker_left(self, child: Child) -> None:
        """A worker of a generation that leaves is gone."""
        self._left(child.generation)

    def _left(self, generation: Generation) -> None:
        self.leaving.look(generation)
        self._parent.process_left()

    def generation_gone(self) -> None:
        """Its names may be nobody's now."""
        self._forget_names()

    def control_left(self) -> None:
        """One control process less."""
        self._forget_names()
        self._parent.process_left()

    def _forget_names(self) -> None:
        """Give back the columns of listeners and servers that no generation has; the last one's outlive it."""
        kept = self._last_keys.union(self._steward.keys, *(each.keys for each in self.all))
        self._estate.board.forget(self._estate.columns.release_all_but(kept))

    # What all hear

    def reopen_log(self, path: str, fd: int) -> None:
        """Everybody whose log is the file *path* goes on in *fd*, which is that file opened anew."""
        for generation in self.all:
            if generation.prepared.config.log.error == path:  # one that leaves may write elsewhere
                self._nursery.tell(generation, channel.LOG, fd)
        self._steward.tell(channel.LOG, fd)
        self.log.sink.reopen(fd)
        self.log.info("log file reopened")
