"""A worker at work: its loop, its listeners, and what the master tells it."""

import os
import random
import resource
import signal

from setproctitle import setproctitle

from l4d.access.capacity import RESERVE, Capacity
from l4d.child import channel
from l4d.child.settle import IGNORED
from l4d.config.model import Listener
from l4d.linux import pipes
from l4d.linux.signals import Signals
from l4d.log.log import Log
from l4d.loop.loop import IN, Loop
from l4d.movers.copy import make_buffer
from l4d.movers.machinery import Machinery
from l4d.session.service import Service
from l4d.stats import catalogue
from l4d.stats.tally import ListenerTally
from l4d.tcp.accept import Acceptor, Gate
from l4d.tcp.service import TcpService
from l4d.terms import Protocol
from l4d.udp.receive import Receiver
from l4d.udp.service import UdpService
from l4d.udp.service import make_buffer as make_datagram_buffer
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.upstreams import Upstreams

HEARTBEAT_SECONDS = 0.5
"""A worker that is well has a heartbeat hardly older than this."""


class Worker:
    """Everything of one worker process."""

    def __init__(self, assignment: WorkerAssignment, log: Log) -> None:
        self._assignment = assignment
        self._log = log
        self._row = assignment.board.row(assignment.row)
        self._heartbeat = assignment.columns.of(catalogue.HEARTBEAT)
        self._loop = Loop(self._on_bug)
        self._beats = self._loop.queue(HEARTBEAT_SECONDS, Worker._beat)
        self._signals = Signals((signal.SIGTERM,), IGNORED)
        pool = pipes.share(assignment.workers)
        self._capacity = Capacity(assignment.config.main.max_sessions, _descriptors_for_sessions(pool))
        self._gate = Gate(self._loop, self._capacity, log)
        self._chance = random.Random(f"{assignment.generation}/{assignment.slot}")  # noqa: S311 - jitter, no secret
        self._datagrams = make_datagram_buffer()
        self._machinery = Machinery(make_buffer(), pool)
        self._upstreams = Upstreams(assignment, self._loop, self._chance)
        self._services: list[TcpService | UdpService] = []
        self._receivers: list[Receiver] = []
        for listener in assignment.config.listeners.values():
            self._add(listener)

    def serve(self) -> None:
        """Say ready, serve once told to, and turn until told to leave."""
        loop = self._loop
        loop.watch(self._signals.fd, IN, self._on_signal)
        loop.watch(self._assignment.channel.fileno(), IN, self._on_word)
        self._upstreams.watch()
        self._beat()
        channel.say(self._assignment.channel, channel.READY)
        loop.run()
        loop.shut()

    def _add(self, listener: Listener) -> None:
        """Build the service of one listener around its sockets."""
        assignment = self._assignment
        upstream = assignment.config.upstreams[listener.upstream]
        service = Service(
            listener,
            upstream,
            self._upstreams.pool(upstream),
            self._loop,
            self._log,
            ListenerTally(self._row, assignment.columns, listener.name),
            self._capacity,
        )
        if listener.protocol is Protocol.TCP:
            tcp = TcpService(service, self._machinery, self._chance)
            self._begin(tcp)
            for sock in assignment.sockets[listener.name]:
                self._gate.add(Acceptor(tcp, sock, self._gate))
        else:
            udp = UdpService(service, self._datagrams, self._chance)
            self._begin(udp)
            self._receivers += [Receiver(udp, sock, self._capacity.most) for sock in assignment.sockets[listener.name]]

    def _begin(self, service: TcpService | UdpService) -> None:
        self._services.append(service)
        self._upstreams.add(service)

    # What the master, or a signal, says

    def _on_word(self, _mask: int) -> None:
        heard = channel.hear(self._assignment.channel)
        if heard is None:
            return
        word, descriptors = heard
        if word == channel.BEGIN:
            self._begin_to_serve()
        elif word == channel.DRAIN:
            self._drain(successor=True)
        elif word == channel.FINISH:
            self._drain(successor=False)
        elif word == channel.LOG:
            for fd in descriptors:  # none, if this process had no number left for it
                self._take_log(fd)
        else:
            self._stop()  # told to, or the master is gone

    def _on_signal(self, _mask: int) -> None:
        if self._signals.read():
            self._stop()

    def _begin_to_serve(self) -> None:
        """Take clients from here on; those who came before wait in the kernel's queues."""
        self._gate.open()
        for receiver in self._receivers:
            receiver.watch()

    def _drain(self, *, successor: bool) -> None:
        """Take who waits in the queues, then nothing new; leave with the last session."""
        setproctitle("l4d: worker process is shutting down")
        self._gate.take_queued()
        self._gate.shut()
        for receiver in self._receivers:
            if successor:
                receiver.count_lost()
                receiver.shut()
            else:
                receiver.admit_nobody()
        if successor:
            self._receivers.clear()  # what is lost from here on is the successor's to count
        # Said when the sockets are closed: from then on nobody gets into a queue that is closed with it.
        self._loop.at_end(lambda: channel.say(self._assignment.channel, channel.QUIET))
        self._capacity.when_empty(self._loop.stop)

    def _stop(self) -> None:
        """End every session, leave."""
        self._gate.shut()
        for service in self._services:
            service.stop()
        self._loop.stop()

    def _take_log(self, fd: int) -> None:
        """The log file was reopened."""
        self._log.sink.reopen(fd)

    # The loop's own

    def _beat(self) -> None:
        """What is done every half second."""
        self._row[self._heartbeat] = int(self._loop.now * 1000)
        for receiver in self._receivers:
            receiver.count_lost()
        self._upstreams.tend()
        self._beats.enter(self, self._loop.now)

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
