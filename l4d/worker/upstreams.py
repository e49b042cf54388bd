"""The upstreams of a worker: their pools, and what is done when something was said of their servers.

The bell is heard at once, whether or not a client comes: the pools look at the board, sessions of servers that went
down are closed if the upstream says so, and those who wait in a queue are tried again.
"""

import random
from collections import deque
from itertools import islice

from l4d.config.model import Upstream
from l4d.loop.loop import EDGE, IN, Loop
from l4d.stats.board import Board
from l4d.tcp.queue import advance
from l4d.tcp.service import Relaying, TcpService
from l4d.terms import OnDown
from l4d.udp.client import Entry
from l4d.udp.service import UdpService
from l4d.upstream.pool import Pool
from l4d.upstream.server import Server
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.members import make_pool

BATCH = 200
"""Sessions of a server that is lost that are closed in one turn."""


class Upstreams:
    """All pools of one worker, with the services that choose from them."""

    def __init__(self, assignment: WorkerAssignment, loop: Loop, chance: random.Random) -> None:
        self._assignment = assignment
        self._board: Board = assignment.board
        self._row = assignment.board.row(assignment.row)
        self._loop = loop
        self._chance = chance
        self._pools: dict[str, Pool] = {}
        self._index: dict[str, tuple[tuple[Server, ...], dict[tuple[str, str], Server]]] = {}
        self._services: list[TcpService | UdpService] = []
        self._closed: set[tuple[TcpService | UdpService, Server]] = set()  # that are lost, and known to be
        self._closing: deque[tuple[TcpService | UdpService, Server]] = deque()
        self._gaps = 0
        self._chores = loop.queue(0.0, Upstreams._work)

    def pool(self, upstream: Upstream) -> Pool:
        """One pool for an upstream, however many listeners use it."""
        if upstream.name not in self._pools:
            pool = self._pools[upstream.name] = make_pool(self._assignment, upstream, self._row, self._chance)
            pool.refresh(self._loop.now)
        return self._pools[upstream.name]

    def find(self, upstream: str, name: str, address: str) -> Server | None:
        """The server that is called so, at this address; None: there is none any more."""
        pool = self._pools.get(upstream)
        if pool is None:
            return None
        pool.keep_up(self._loop.now)  # it may have come just now
        servers, index = self._index.get(upstream, ((), {}))
        if servers is not pool.servers:
            index = {(server.name, str(server.address)): server for server in pool.servers}
            self._index[upstream] = pool.servers, index
        return index.get((name, address))

    def uses(self, upstream: str) -> bool:
        """Whether any listener has this upstream."""
        return upstream in self._pools

    def add(self, service: TcpService | UdpService) -> None:
        self._services.append(service)

    def watch(self) -> None:
        """Hear the bell from now on."""
        self._loop.watch(self._board.bell_fd, IN | EDGE, self._on_bell)
        self._loop.watch(self._board.gap_fd, IN | EDGE, self._on_gap)

    def tend(self) -> None:
        """What is done now and then: pools look at their servers by themselves too, and may have work left."""
        self._on_gap(0)  # time alone may have brought a server in
        if self._chores_wait():
            self._chores.enter(self, self._loop.now)

    def _on_bell(self, _mask: int) -> None:
        """Something was said of some server."""
        for pool in self._pools.values():
            pool.refresh(self._loop.now)
        self._look_for_down()
        self.tend()

    def _on_gap(self, _mask: int) -> None:
        """Somebody who waits in a queue may be taken now."""
        waiting = [service for service in self._services if isinstance(service, TcpService) and service.queued]
        if waiting:
            begin = self._gaps = (self._gaps + 1) % len(waiting)  # another one begins each time
            advance(waiting[begin:] + waiting[:begin])

    def _look_for_down(self) -> None:
        """Note the servers that went down, or left, since the last time, where that closes their sessions."""
        down = {
            (service, server)
            for service in self._services
            if service.service.upstream.on_down is OnDown.CLOSE
            for server in service.service.pool.servers
            if server.lost is not None
        }
        self._closing += down - self._closed
        self._closed = down

    def _chores_wait(self) -> bool:
        more = sum(pool.work() for pool in self._pools.values())  # each does a piece
        return bool(self._closing) or more > 0

    def _work(self) -> None:
        """A bounded piece of what there is to do; the rest comes with the next turn."""
        if self._closing:
            service, server = self._closing.popleft()
            end = server.lost
            batch: list[Relaying | Entry] = list(islice(service.served_by(server), BATCH)) if end is not None else []
            for session in batch:
                assert end is not None
                session.server_lost(end)
            if len(batch) == BATCH:
                self._closing.append((service, server))
        self.tend()
