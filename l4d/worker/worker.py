"""A worker at work: its loop, its listeners, and what the master tells it."""

import os
import random
import resource
import signal
import time
from collections.abc import Callable

from setproctitle import setproctitle

from l4d.access.capacity import RESERVE, Capacity
from l4d.child import channel
from l4d.child.settle import IGNORED
from l4d.linux import pipes
from l4d.linux.signals import Signals
from l4d.log.log import Log
from l4d.loop.loop import IN, Loop
from l4d.movers.copy import make_buffer
from l4d.movers.machinery import Machinery
from l4d.stats import catalogue
from l4d.stats.histogram import Histogram
from l4d.stats.process import Presence
from l4d.terms import WorkerState
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.errands import Errands
from l4d.worker.giving import Giver
from l4d.worker.inquiry import Inquiry
from l4d.worker.services import Services
from l4d.worker.taking import Taker

HEARTBEAT_SECONDS = 0.5
"""A worker that is well has a heartbeat hardly older than this."""


class Worker:
    """Everything of one worker process."""

    def __init__(self, assignment: WorkerAssignment, log: Log) -> None:
        self._assignment = assignment
        self._log = log
        self._row = assignment.board.row(assignment.row)
        place = assignment.slot, assignment.workers
        self._presence = Presence(self._row, assignment.columns, os.getpid(), assignment.generation, *place)
        self._loop = Loop(self._on_bug, Histogram(self._row, assignment.columns, catalogue.WORKER_LOOP).observe)
        self._cpu = assignment.columns.of(catalogue.WORKER_CPU, str(assignment.slot))
        self._beats = self._loop.queue(HEARTBEAT_SECONDS, Worker._beat)
        self._signals = Signals((signal.SIGTERM,), IGNORED)
        pool = pipes.share(assignment.workers)
        self._capacity = Capacity(assignment.config.main.max_sessions, _descriptors_for_sessions(pool))
        chance = random.Random(f"{assignment.generation}/{assignment.slot}")  # noqa: S311 - jitter, no secret
        machinery = Machinery(make_buffer(), pool)
        services = self._services = Services(assignment, self._loop, log, self._capacity, machinery, chance)
        services.gate.tell_taking = self._tell_taking
        self._taker = Taker(assignment, self._loop, log, services, self._capacity, self._read_datagrams)
        self._inquiry = Inquiry(assignment, self._loop, log, Errands(assignment, self._loop, services).begin)
        self._giver = Giver(self._loop, log, services, self._capacity, place, self._all_flows_moved)
        self._serving = False
        self._leaving = False
        self._hears = True  # the UDP sockets, once they are ours, and until they are a successor's
        self._vacant = not assignment.retired  # so there is nothing to tell
        self._heed: dict[bytes, Callable[[], None]] = {
            channel.BEGIN: self._begin_to_serve,
            channel.DRAIN: lambda: self._drain(successor=True),
            channel.STEERED: lambda: self._giver.steered(self._quiet),
            channel.SHED: self._shed,
            channel.FINISH: lambda: self._drain(successor=False),
            channel.STOP: self._stop,
            b"": self._stop,  # the master is gone
        }

    def serve(self) -> None:
        """Say ready, serve once told to, and turn until told to leave."""
        loop = self._loop
        loop.watch(self._signals.fd, IN, self._on_signal)
        loop.watch(self._assignment.channel.fileno(), IN, self._on_word)
        self._services.upstreams.watch()
        self._beat()
        channel.say(self._assignment.channel, channel.READY)
        try:
            loop.run()
        finally:
            self._services.journals.end()
        loop.shut()
        self._count_cpu()

    # What the master, or a signal, says

    def _on_word(self, _mask: int) -> None:
        heard = channel.hear(self._assignment.channel)
        if heard is None:
            return
        word, descriptors = heard
        if word in self._heed:
            self._heed[word]()
        else:
            self._take_descriptors(word, descriptors)

    def _take_descriptors(self, word: bytes, descriptors: list[int]) -> None:
        """A word with a descriptor. If none has come, what it was to be used for goes on without.

        A word that is not known is one of another version's master, at an upgrade.
        """
        if not descriptors and channel.has_descriptor(word):
            self._log.seldom("descriptors", f"no descriptor is left for what the word {word.decode()} brings")
        for fd in descriptors:
            if word == channel.TAKE_OVER:
                self._taker.add(channel.link(fd))
            elif word.startswith(channel.HAND_OVER):
                self._giver.add(*channel.successor(word), channel.link(fd))
            else:
                self._go_on_in(word, fd)
                os.close(fd)

    def _go_on_in(self, word: bytes, fd: int) -> None:
        """A log was opened anew, if that is what *word* says."""
        if word == channel.LOG:
            self._log.sink.reopen(fd)
        elif word.startswith(channel.ACCESS):
            self._services.journals.go_on_in(channel.access_log(word), fd)

    def _on_signal(self, _mask: int) -> None:
        if self._signals.read():
            self._stop()

    def _begin_to_serve(self) -> None:
        """Take clients from here on; those who came before wait in the kernel's queues."""
        self._serving = True
        self._presence.become(WorkerState.SERVING)
        self._services.gate.open()
        self._inquiry.call()
        if not self._taker.waiting:
            self._read_datagrams()

    def _read_datagrams(self) -> None:
        """The UDP sockets are ours to read."""
        if self._serving and self._hears:
            self._services.read_datagrams()

    def _shed(self) -> None:
        """Close what we have of slots that were given up, and say so. Told again if some who wait find no room."""
        if self._services.gate.shed():
            self._loop.at_end(lambda: channel.say(self._assignment.channel, channel.SHED))

    def _drain(self, *, successor: bool) -> None:
        """Take who waits in the queues, then nothing new; leave with the last session."""
        setproctitle("l4d: worker process is shutting down")
        self._leaving = True
        self._presence.become(WorkerState.LEAVING)
        self._hears = self._hears and not successor
        self._services.gate.take_queued()
        self._services.gate.shut()
        if successor and self._giver.has_heirs:
            self._giver.begin()
            if self._giver.switched:  # there is no UDP
                self._quiet()
        else:
            self._leave_datagrams(successor=successor)
            self._quiet()
        self._capacity.when_empty(self._leave_when_alone)

    def _leave_datagrams(self, *, successor: bool) -> None:
        """The sockets are a successor's who gets no flows; or, without one, only those who have a flow are heard."""
        for receiver in self._services.receivers.values():
            if successor:
                receiver.count_lost()
                receiver.shut()
            else:
                receiver.admit_nobody()
        if successor:
            self._services.receivers.clear()  # what is lost from here on is the successor's to count

    def _quiet(self) -> None:
        """Tell the master that nothing new is taken: after the sockets are closed, as nobody gets into a queue then."""
        self._loop.at_end(self._say_quiet)

    def _say_quiet(self) -> None:
        channel.say(self._assignment.channel, channel.QUIET)
        self._leave_when_alone()

    def _all_flows_moved(self) -> None:
        channel.say(self._assignment.channel, channel.MOVED)

    def _leave_when_alone(self) -> None:
        """End when no session is left, none can come, and no UDP client is to be passed on."""
        handed_over = not self._giver.has_heirs or (self._giver.switched and not self._giver.busy)
        if not self._capacity.sessions and handed_over and self._taker.idle:
            self._loop.stop()

    def _stop(self) -> None:
        """End every session, leave."""
        self._services.gate.shut()
        for service in self._services.all:
            service.stop()
        self._loop.stop()

    # The loop's own

    def _beat(self) -> None:
        """What is done every half second."""
        self._beats.enter(self, self._loop.now)  # first: whatever fails below, this process turns
        self._presence.beat(self._loop.now)
        self._count_cpu()
        for receiver in self._services.receivers.values():
            receiver.count_lost()
        self._services.upstreams.tend()
        if self._serving:
            self._inquiry.call()
        if self._leaving:
            self._leave_when_alone()
        elif not self._vacant and self._serving and not self._taker.waiting and self._services.vacate():
            self._vacant = True
            channel.say(self._assignment.channel, channel.VACANT)

    def _count_cpu(self) -> None:
        """The processor time since this process was born."""
        self._row[self._cpu] = int(time.process_time() * catalogue.WORKER_CPU.unit)

    def _tell_taking(self, taking: bool) -> None:
        """The gate takes clients, or has no room for them."""
        if self._serving and not self._leaving:
            self._presence.become(WorkerState.SERVING if taking else WorkerState.FULL)

    def _on_bug(self, culprit: object) -> None:
        """A handler or deadline of *culprit* raised: the session it serves is given up, the worker lives."""
        self._log.bug(f"{culprit}")
        broke = getattr(culprit, "broke", None)
        if broke is None:
            return
        try:
            broke()
        except Exception:  # it was broken already
            self._log.bug(f"{culprit}, giving it up")


def _descriptors_for_sessions(pool: pipes.Pipes) -> int:
    """What is left when the pool has all its pipes; it gets at most a quarter of all there is."""
    limit, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = limit - len(os.listdir("/proc/self/fd")) - RESERVE
    pool.most = max(1, min(pool.most, free // 8))
    return free - 2 * pool.most
