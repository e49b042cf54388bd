"""The master: its life from start to end, and what it does about signals. It carries no traffic.

Everything reaches it as a descriptor of its loop: signals by a wakeup descriptor, children by pidfds, their words by
channels. It never sleeps in place and never waits for one child only.
"""

import os
import signal
from collections.abc import Callable

from l4d.child import channel
from l4d.config.model import Config
from l4d.errors import StartError
from l4d.linux import notify, process
from l4d.linux.signals import Signals
from l4d.log.log import Log
from l4d.log.outlets import leave_standard
from l4d.log.sinks import DescriptorSink
from l4d.loop.loop import IN, Loop
from l4d.master.bequest import Bequest
from l4d.master.estate import first_estate
from l4d.master.generations import Generations
from l4d.master.predecessor import Predecessor
from l4d.master.prepare import prepare
from l4d.master.reload import Reload
from l4d.master.reopening import reopen
from l4d.master.timers import Timers
from l4d.master.totals import totals
from l4d.master.upgrade import Upgrade
from l4d.terms import Level


class Master:
    """One running l4d."""

    def __init__(self, path: str, overrides: tuple[str, ...], bequest: Bequest | None = None, *, daemon: bool) -> None:
        """Nothing is opened yet; see `start`. With a *bequest* another master is l4d until our workers are ready."""
        self._estate = bequest.estate if bequest else first_estate()
        log = Log(DescriptorSink(bequest.stderr if bequest else 2), Level.INFO, "master", self._estate.lost_line)
        self._loop = Loop(on_bug=lambda handler: self.log.bug(f"the master, {handler}"))
        self._generations = Generations(self._loop, self._estate, log, self, detached=daemon)
        self._reload = Reload(path, overrides, self._estate, self._generations, self.is_busy)
        self._upgrade = Upgrade(self._loop, self._estate, self._generations, self, self._may_not_leave)
        self._predecessor: Predecessor | None = None
        if bequest is not None:
            self._predecessor = Predecessor(self._loop, Timers(self._loop), bequest, self._generations, self)
            self._generations.follow(self._predecessor)
        self._stopping = False
        self._failure: StartError | None = None
        self._on_ready: Callable[[], None] | None = None
        self._heed: dict[int, Callable[[], object]] = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGQUIT: self._quit,
            signal.SIGHUP: self._read_again,
            signal.SIGUSR1: self._reopen,
            signal.SIGUSR2: self._replace,
            signal.SIGWINCH: self._retire if daemon else _nothing,
        }

    @property
    def log(self) -> Log:
        """Where it logs now; another one with each generation."""
        return self._generations.log

    # From start to end

    def start(self, config: Config) -> None:
        """Open everything and fork the first generation. Raises StartError, and leaves nothing behind then."""
        self._signals = Signals(signal.Signals(number) for number in self._heed)
        self._loop.watch(self._signals.fd, IN, self._on_signal)
        pid_file = self._estate.pid_file
        try:
            path = pid_file.path if pid_file else ""
            self._generations.begin(prepare(config, self._estate.held, self._estate.doors, path))
        except StartError:
            self._estate.release()
            self._loop.shut()
            self._signals.close()
            raise

    def run(self, on_ready: Callable[[], None]) -> int:
        """Serve until told to stop: the exit status. *on_ready* is called once, when the first generation serves.

        Raises StartError when the first generation does not come up.
        """
        self._on_ready = on_ready
        self._loop.run()
        self._generations.release()
        nobody_follows = self._estate.ours
        self._estate.release()
        self._upgrade.close()
        self._loop.shut()
        self._signals.close()
        if self._failure is not None:
            raise self._failure
        if nobody_follows:
            for line in totals(self._estate.board, self._estate.columns):
                self.log.info(line)
            self.log.info("stopped")
        return 0

    def leave_terminal(self) -> None:
        """A daemon serves: hold open nothing of the process that started it."""
        process.leave_terminal()
        serving = self._generations.serving
        assert serving is not None
        leave_standard(serving.prepared.access)
        if serving.prepared.config.log.error == "stderr":
            null = process.open_null()
            self.log.sink.reopen(null)
            os.close(null)

    def generation_announced(self) -> None:
        """With the first generation the start is over."""
        notify.ready()
        if self._on_ready is not None:
            on_ready, self._on_ready = self._on_ready, None
            on_ready()
        self._go_on()

    def generation_settled(self) -> None:
        """A signal may have come meanwhile."""
        self._go_on()

    def generation_failed(self, error: StartError) -> None:
        """Without the first generation there is nothing; otherwise the one that serves goes on."""
        if self._generations.serving is None and self._on_ready is not None:
            self._give_up(error)
        else:
            self._reload.refuse(error)
            self._go_on()

    def process_left(self) -> None:
        """Told to stop, the master ends when all workers are gone, and then control, and the next program if any."""
        self._upgrade.control_left()
        if not self._stopping or self._generations.have_workers:
            return
        if not self._generations.steward.idle:
            self._generations.steward.stop()
        elif not self._upgrade.under_way:
            self._loop.stop()

    def _give_up(self, error: StartError) -> None:
        self._failure = error
        self._stopping = True

    # One change at a time

    def is_busy(self) -> bool:
        """Whether a change is under way; when it is over it is gone on with what was wanted meanwhile."""
        taking_over = self._predecessor is not None and not self._predecessor.settled
        leaving = self._generations.leaving
        not_gone = leaving.handover.under_way or leaving.abandoned
        return self._generations.starting is not None or self._upgrade.under_way or taking_over or not_gone

    def _may_not_leave(self) -> bool:
        """Whether a change is under way, or another master has processes yet, of which it tells nobody but us."""
        return self._predecessor is not None or self.is_busy()

    def _go_on(self) -> None:
        if not self._stopping:
            self._reload.again()
            self._upgrade.again()

    def generation_quiet(self) -> None:
        """Nothing new is taken here any more: it may be that the next program waits for that."""
        self._upgrade.look()

    def upgrade_failed(self) -> None:
        """It is over."""
        self._go_on()
        self.process_left()

    def upgraded(self) -> None:
        """Another process is l4d; this one ends when its workers are gone."""
        self._stopping = True
        if self._reload.wanted:
            self._upgrade.pass_on(signal.SIGHUP)
        self.process_left()

    def successor_stops(self) -> None:
        """TERM or INT came to the one that is l4d now."""
        self._stop()

    def predecessor_lost(self) -> None:
        """The master that we were to follow is gone, and all that was its own."""
        self._give_up(StartError("the running l4d is gone"))
        self._generations.end()
        self.process_left()

    def predecessor_settled(self) -> None:
        """Its workers are quiet."""
        self._go_on()

    def predecessor_gone(self) -> None:
        """We are on our own."""
        self._predecessor = None
        self._go_on()

    # Signals

    def _on_signal(self, _mask: int) -> None:
        for number in self._signals.read():
            self._heed.get(number, _nothing)()

    def _stop(self) -> None:
        """TERM, INT: fast; every session ends now."""
        self._begin_to_stop("stopping")
        if self._predecessor is not None:
            self._predecessor.stop()
        self._generations.end()
        self.process_left()

    def _quit(self) -> list[str]:
        """QUIT: graceful; nothing new, sessions finish within drain_timeout."""
        if not self._stopping:
            self._begin_to_stop("stopping gracefully: nothing new is taken, sessions may finish")
            self._generations.retire()
            self.process_left()
        return []

    def _begin_to_stop(self, words: str) -> None:
        if not self._stopping:
            self.log.info(words)
            notify.stopping()
        self._stopping = True
        self._upgrade.cancel("l4d stops")

    def _retire(self) -> None:
        """WINCH: the workers finish and leave, the master stays."""
        if not self._stopping:
            self._upgrade.cancel("the workers are to leave")
            self._generations.retire()

    def _read_again(self) -> list[str]:
        """HUP: read the file again, all or nothing; why it is not."""
        return ["l4d is stopping"] if self._stopping else self._reload.want()

    def _replace(self) -> None:
        """USR2: let the program now on disk take over."""
        if not self._stopping:
            self._upgrade.want()

    def _reopen(self) -> list[str]:
        """USR1: open the log files anew. Why some cannot be."""
        return reopen(self._generations)

    # What an operator asks for by the admin API

    def control_asks(self, what: str) -> list[str]:
        """Why it cannot be; nothing, if it is begun."""
        heed = {channel.RELOAD: self._read_again, channel.REOPEN: self._reopen, channel.QUIT: self._quit}
        return heed[what]()


def _nothing() -> None:
    """What is done about a signal that is not heeded."""
