"""The master: which generation serves, which one starts, which ones leave; it carries no traffic.

Everything reaches it as a descriptor of its loop: signals by a wakeup descriptor, children by pidfds, their words by
channels. It never sleeps in place and never waits for one child only.
"""

import os
import signal
from collections.abc import Callable

from l4d.address import Inet
from l4d.child import channel
from l4d.config.load import load
from l4d.config.model import Config
from l4d.errors import L4dError, StartError
from l4d.linux.signals import Signals
from l4d.log.log import Log
from l4d.log.sinks import DescriptorSink, open_file
from l4d.loop.loop import IN, Loop
from l4d.master import pidfile, sockets
from l4d.master.generation import Generation, Slot
from l4d.master.instance import Served
from l4d.master.nursery import Nursery
from l4d.master.pidfile import PidFile
from l4d.master.prepare import Prepared, prepare
from l4d.master.spawn import Spawner
from l4d.master.steward import Steward
from l4d.master.timers import Timers
from l4d.master.totals import totals
from l4d.stats import catalogue, tally
from l4d.stats.board import RETIRED, Board, BoardFullError
from l4d.stats.columns import Columns, Key
from l4d.terms import Level

READY_TIMEOUT = 20.0
"""A generation that is not ready by then will not be, in seconds."""

LOOK_TIMEOUT = 3.0
"""A generation that is ready waits so many seconds for control to have checked and resolved what it serves."""

QUIET_TIMEOUT = 1.0
"""A worker that has not stopped accepting by then will not be waited for, in seconds."""

STOP_TIMEOUT = 0.5
"""A worker told to stop that is still there by then is killed, in seconds."""


class Master:
    """One running l4d."""

    def __init__(self, path: str, overrides: tuple[str, ...], *, daemon: bool) -> None:
        """Nothing is opened yet; see `start`."""
        self._path = path
        self._overrides = overrides
        self._board = Board()
        self._columns = Columns()
        self.log = Log(DescriptorSink(2), Level.INFO, "master", self._lost_line)
        self._loop = Loop(on_bug=lambda handler: self.log.bug(f"the master, {handler}"))
        self._timers = Timers(self._loop)
        spawner = Spawner(self._board, self._columns, self._board.take_row(), detached=daemon)
        self._nursery = Nursery(self._loop, self._timers, spawner, self)
        self._steward = Steward(self._loop, self._timers, spawner, self)
        self._held: dict[sockets.Place, sockets.Bound] = {}
        self._pid_file: PidFile | None = None
        self._serving: Generation | None = None
        self._starting: Generation | None = None
        self._leaving: list[Generation] = []
        self._last_number = 0
        self._last_keys: frozenset[Key] = frozenset()
        self._reload_wanted = False
        self._stopping = False
        self._failure: L4dError | None = None
        self._on_ready: Callable[[], None] | None = None
        self._heed: dict[int, Callable[[], None]] = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGQUIT: self._quit,
            signal.SIGHUP: self._reload,
            signal.SIGUSR1: self._reopen,
            signal.SIGUSR2: self._upgrade,
            signal.SIGWINCH: self._retire_workers if daemon else _nothing,
        }

    # From start to end

    def start(self, config: Config) -> None:
        """Open everything and fork the first generation. Raises StartError, and leaves nothing behind then."""
        self._signals = Signals(signal.Signals(number) for number in self._heed)
        self._loop.watch(self._signals.fd, IN, self._on_signal)
        try:
            self._begin(prepare(config, self._held, ""))
        except StartError:
            self._loop.shut()
            self._signals.close()
            raise

    def run(self, on_ready: Callable[[], None]) -> int:
        """Serve until told to stop: the exit status. *on_ready* is called once, when the first generation serves.

        Raises StartError when the first generation does not come up.
        """
        self._on_ready = on_ready
        self._loop.run()
        if self._starting is not None:
            self._starting.prepared.drop()
        if self._pid_file is not None:
            self._pid_file.remove()
        self._release_sockets()
        self._loop.shut()
        self._signals.close()
        if self._failure is not None:
            raise self._failure
        for line in totals(self._board, self._columns):
            self.log.info(line)
        self.log.info("stopped")
        return 0

    # A generation comes up, or does not

    def _begin(self, prepared: Prepared) -> None:
        """Fork the workers of a new generation. Raises StartError; nothing of it is left then."""
        try:
            keys = tally.reserve(self._columns, prepared.config)
            slots = [Slot(number) for number in range(prepared.slots)]
            generation = Generation(self._last_number + 1, prepared, keys, slots)
            self._nursery.fill(generation)
        except (StartError, BoardFullError) as error:
            prepared.drop()
            self._forget_names()
            raise StartError(str(error)) from None
        self._last_number = generation.number
        self._starting = generation
        self._steward.serve(generation)
        self._timers.after(READY_TIMEOUT, lambda: self._too_slow(generation))

    def worker_ready(self, generation: Generation) -> None:
        """A worker could serve; with the last of a starting generation, it waits only for control to have looked."""
        if generation is not self._starting or not generation.ready:
            return
        if self._steward.knows(generation):
            self._commit(generation)
        else:
            self._timers.after(LOOK_TIMEOUT, lambda: self._commit_unseen(generation))

    def control_looked(self) -> None:
        """Control knows every server: a generation that is ready otherwise is the present."""
        if self._starting is not None:
            self.worker_ready(self._starting)

    def _commit_unseen(self, generation: Generation) -> None:
        if generation is self._starting:
            self.log.warning(f"not every server has been looked at after {LOOK_TIMEOUT:g} s; going on without")
            self._commit(generation)

    def worker_died_unready(self, generation: Generation, words: str) -> None:
        """A generation that loses a worker before it serves does not come up."""
        if generation is self._starting:
            self._abandon(generation, f"{words} before it was ready")

    def _too_slow(self, generation: Generation) -> None:
        if generation is self._starting:
            self._abandon(generation, f"its workers were not ready after {READY_TIMEOUT:g} s")

    def _commit(self, generation: Generation) -> None:
        """Every worker of the new generation accepts: the old one leaves."""
        prepared = generation.prepared
        old, self._serving, self._starting = self._serving, generation, None
        self._last_keys = generation.keys
        generation.serving = True
        self._nursery.tell(generation, channel.BEGIN)
        old_log, self.log = self.log, Log(prepared.sink, prepared.config.log.level, "master", self._lost_line)
        for name, bound in prepared.plan.opened():
            protocol = prepared.config.listeners[name].protocol.value
            self.log.info(f"listening on {protocol} {bound.address} (listeners.{name})")
        if old is not None:
            self._leave(old, channel.DRAIN)
        old_log.sink.close()
        self._held = sockets.keep(prepared.plan, prepared.config, self._held)
        self._pid_file = pidfile.succeed(self._pid_file, prepared.pid_file, prepared.config.main.pid_file)
        if old is None:
            self._announce(generation)
        else:
            self._timers.after(QUIET_TIMEOUT, lambda: self._announce(generation))
            self._announce_when_quiet(old)
        self._reload_again()

    def _announce_when_quiet(self, old: Generation) -> None:
        """From the word "ready" on every client meets the new configuration, so the old workers must have stopped."""
        if old.quiet and self._serving is not None and old.number < self._serving.number:
            self._announce(self._serving)

    def _announce(self, generation: Generation) -> None:
        """Say once that *generation* serves, alone."""
        if generation is not self._serving or generation.announced:
            return
        generation.announced = True
        self.log.info(f"ready: generation {generation.number}, {len(generation.slots)} workers")
        if self._on_ready is not None:
            on_ready, self._on_ready = self._on_ready, None
            on_ready()

    def _abandon(self, generation: Generation, why: str) -> None:
        """A generation does not come up: without it all is as it was; without the first there is nothing."""
        self._starting = None
        self._leaving.append(generation)
        generation.leaving = True
        self._nursery.kill(generation)
        if self._serving is not None:
            self._steward.serve(self._serving)
        else:
            self._steward.stop()
        generation.prepared.drop()
        error = StartError(f"generation {generation.number} did not come up: {why}")
        if self._on_ready is None:
            self._refuse(error)
            self._reload_again()
        else:
            self._failure = error
            self._stopping = True
        self.worker_left(generation)

    # Reloading

    def _reload(self) -> None:
        """HUP: read the file again, all or nothing."""
        if self._stopping:
            return
        if self._starting is not None:
            self._reload_wanted = True  # the file may have changed once more: when this one is done
            return
        self.log.info(f"reloading {self._path}")
        try:
            config = load(self._path, self._overrides)
            pid_file = self._pid_file.path if self._pid_file else ""
            self._begin(prepare(config, self._held, pid_file, self._served_by_leaving()))
        except L4dError as error:
            self._refuse(error)

    def _served_by_leaving(self) -> set[Served]:
        """Addresses that workers on their way out still have; after WINCH they are all there is."""
        plans = [(each.prepared.config, each.prepared.plan) for each in self._leaving]
        return {
            (config.listeners[name].protocol, bound.address)
            for config, plan in plans
            for name, bounds in plan.by_listener.items()
            for bound in bounds
            if isinstance(bound.address, Inet)
        }

    def _reload_again(self) -> None:
        if self._reload_wanted:
            self._reload_wanted = False
            self._reload()

    def _refuse(self, error: L4dError) -> None:
        for line in str(error).splitlines():
            self.log.error(line)
        self.log.error("the reload failed; everything is as it was")

    # Leaving

    def _leave(self, generation: Generation, word: bytes) -> None:
        """Take nothing new, finish what lives, within drain_timeout; *word* says whether there is a successor."""
        generation.leaving = True
        self._leaving.append(generation)
        self._nursery.tell(generation, word)
        limit = (self._serving or generation).prepared.config.main.drain_timeout
        if limit:
            self._timers.after(limit, lambda: self._end_sessions(generation))
        self.worker_left(generation)

    def worker_quiet(self, generation: Generation) -> None:
        """A worker takes nothing new any more."""
        self._announce_when_quiet(generation)

    def worker_left(self, generation: Generation) -> None:
        """One worker of a leaving generation less, or none to begin with."""
        self._announce_when_quiet(generation)
        if not generation.children and generation in self._leaving:
            self._leaving.remove(generation)
            self.log.info(f"generation {generation.number} is gone")
            self._forget_names()
        self._end_when_alone()

    def control_left(self) -> None:
        """One control process less."""
        self._forget_names()
        self._end_when_alone()

    def _end_when_alone(self) -> None:
        """Told to stop, the master ends when all workers are gone, and then control."""
        if not self._stopping or any(each.children for each in self._generations()):
            return
        if self._steward.idle:
            self._loop.stop()
        else:
            self._steward.stop()

    def _forget_names(self) -> None:
        """Give back the columns of listeners and servers that no generation has; the last one's outlive it."""
        kept = self._last_keys.union(self._steward.keys, *(each.keys for each in self._generations()))
        self._board.forget(self._columns.release_all_but(kept))

    def _end_sessions(self, generation: Generation) -> None:
        """What lives has had its time; a worker that does not go is killed."""
        self._nursery.tell(generation, channel.STOP)
        self._timers.after(STOP_TIMEOUT, lambda: self._nursery.kill(generation))

    def _generations(self) -> list[Generation]:
        return [each for each in (self._serving, self._starting, *self._leaving) if each is not None]

    # Signals

    def _on_signal(self, _mask: int) -> None:
        for number in self._signals.read():
            self._heed.get(number, _nothing)()

    def _stop(self) -> None:
        """TERM, INT: fast; every session ends now."""
        if not self._stopping:
            self.log.info("stopping")
        self._stopping = True
        self._steward.stop()
        generations = self._generations()
        for generation in generations:
            generation.leaving = True
            self._end_sessions(generation)
        self._end_when_alone()

    def _quit(self) -> None:
        """QUIT: graceful; nothing new, sessions finish within drain_timeout."""
        if self._stopping:
            return
        self.log.info("stopping gracefully: nothing new is taken, sessions may finish")
        self._stopping = True
        self._retire_workers()
        self._end_when_alone()

    def _retire_workers(self) -> None:
        """WINCH: the workers finish and leave, the listening sockets are closed."""
        if self._starting is not None:
            self._abandon(self._starting, "the workers are to leave")
        if self._serving is not None:
            serving, self._serving = self._serving, None
            self._release_sockets()
            self._leave(serving, channel.FINISH)

    def _release_sockets(self) -> None:
        for bound in self._held.values():
            sockets.release(bound)
        self._held = {}

    def _upgrade(self) -> None:
        self.log.warning("USR2: upgrading in place is not available in this version; nothing was done")

    def _reopen(self) -> None:
        """USR1: open the log file anew, and hand it to the workers, who may have no right to open it."""
        path = self._serving.prepared.config.log.error if self._serving is not None else ""
        if self._serving is None or not os.path.isabs(path):
            return  # standard error, syslog and the journal need no reopening
        try:
            fd = open_file(path)
        except StartError as error:
            self.log.error(str(error))
            return
        for generation in self._generations():
            if generation.prepared.config.log.error == path:  # one that leaves may write elsewhere
                self._nursery.tell(generation, channel.LOG, fd)
        self._steward.tell(channel.LOG, fd)
        self.log.sink.reopen(fd)
        self.log.info("log file reopened")

    def _lost_line(self) -> None:
        # The retired row is the master's own: it has none else.
        self._board.row(RETIRED)[self._columns.of(catalogue.LOG_LINES_DROPPED)] += 1


def _nothing() -> None:
    """What is done about a signal that is not heeded."""
