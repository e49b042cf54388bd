"""The master: its life from start to end, and what it does about signals. It carries no traffic.

Everything reaches it as a descriptor of its loop: signals by a wakeup descriptor, children by pidfds, their words by
channels. It never sleeps in place and never waits for one child only.
"""

import os
import signal
from collections.abc import Callable

from l4d.config.model import Config
from l4d.errors import StartError
from l4d.linux.signals import Signals
from l4d.log.log import Log
from l4d.log.sinks import DescriptorSink, open_file
from l4d.loop.loop import IN, Loop
from l4d.master.estate import Estate
from l4d.master.generations import Generations
from l4d.master.prepare import prepare
from l4d.master.reload import Reload
from l4d.master.totals import totals
from l4d.terms import Level


class Master:
    """One running l4d."""

    def __init__(self, path: str, overrides: tuple[str, ...], *, daemon: bool) -> None:
        """Nothing is opened yet; see `start`."""
        self._estate = Estate()
        log = Log(DescriptorSink(2), Level.INFO, "master", self._estate.lost_line)
        self._loop = Loop(on_bug=lambda handler: self.log.bug(f"the master, {handler}"))
        self._generations = Generations(self._loop, self._estate, log, self, detached=daemon)
        self._reload = Reload(path, overrides, self._estate, self._generations)
        self._stopping = False
        self._failure: StartError | None = None
        self._on_ready: Callable[[], None] | None = None
        self._heed: dict[int, Callable[[], None]] = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGQUIT: self._quit,
            signal.SIGHUP: self._read_again,
            signal.SIGUSR1: self._reopen,
            signal.SIGUSR2: self._upgrade,
            signal.SIGWINCH: self._generations.retire if daemon else _nothing,
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
        try:
            self._generations.begin(prepare(config, self._estate.held, ""))
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
        if self._generations.starting is not None:
            self._generations.starting.prepared.drop()
        self._estate.release()
        self._loop.shut()
        self._signals.close()
        if self._failure is not None:
            raise self._failure
        for line in totals(self._estate.board, self._estate.columns):
            self.log.info(line)
        self.log.info("stopped")
        return 0

    def generation_announced(self) -> None:
        """With the first generation the start is over."""
        if self._on_ready is not None:
            on_ready, self._on_ready = self._on_ready, None
            on_ready()

    def generation_settled(self) -> None:
        """A HUP may have come meanwhile."""
        self._reload.again()

    def generation_failed(self, error: StartError) -> None:
        """Without the first generation there is nothing; otherwise the one that serves goes on."""
        if self._on_ready is None:
            self._reload.refuse(error)
            self._reload.again()
        else:
            self._failure = error
            self._stopping = True

    def process_left(self) -> None:
        """Told to stop, the master ends when all workers are gone, and then control."""
        if not self._stopping or self._generations.have_workers:
            return
        if self._generations.alone:
            self._loop.stop()
        else:
            self._generations.end_control()

    # Signals

    def _on_signal(self, _mask: int) -> None:
        for number in self._signals.read():
            self._heed.get(number, _nothing)()

    def _stop(self) -> None:
        """TERM, INT: fast; every session ends now."""
        if not self._stopping:
            self.log.info("stopping")
        self._stopping = True
        self._generations.end()
        self.process_left()

    def _quit(self) -> None:
        """QUIT: graceful; nothing new, sessions finish within drain_timeout."""
        if self._stopping:
            return
        self.log.info("stopping gracefully: nothing new is taken, sessions may finish")
        self._stopping = True
        self._generations.retire()
        self.process_left()

    def _read_again(self) -> None:
        """HUP: read the file again, all or nothing."""
        if not self._stopping:
            self._reload.want()

    def _upgrade(self) -> None:
        self.log.warning("USR2: upgrading in place is not available in this version; nothing was done")

    def _reopen(self) -> None:
        """USR1: open the log file anew, and hand it to the workers, who may have no right to open it."""
        serving = self._generations.serving
        path = serving.prepared.config.log.error if serving is not None else ""
        if not os.path.isabs(path):
            return  # standard error, syslog and the journal need no reopening
        try:
            self._generations.reopen_log(path, open_file(path))
        except StartError as error:
            self.log.error(str(error))


def _nothing() -> None:
    """What is done about a signal that is not heeded."""
