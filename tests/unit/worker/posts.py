"""Two workers of one machine, each with its loop, that are linked by real socket pairs. No process is forked."""

import random
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from l4d.access.capacity import TCP_DESCRIPTORS, Capacity
from l4d.address import Inet
from l4d.child import channel
from l4d.child.assignment import Assignment
from l4d.config import model
from l4d.handover.link import Link, Message
from l4d.linux import listening
from l4d.linux.pipes import Pipes
from l4d.log.log import Log
from l4d.loop.loop import IN
from l4d.movers.copy import make_buffer
from l4d.movers.machinery import Machinery
from l4d.session.session import Session
from l4d.stats import catalogue
from l4d.stats.columns import Columns
from l4d.stats.tally import reserve
from l4d.tcp import transfer
from l4d.tcp.dial import dial
from l4d.terms import Level, Protocol
from l4d.udp import transfer as udp_transfer
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.giving import Giver
from l4d.worker.services import Services
from l4d.worker.taking import Taker
from tests.kit.wait import TIMEOUT, is_readable, wait_until
from tests.unit.making import CONTROL, Lines, NeverWaiting, OwnBoard, Row, config_of, listener, member, upstream

ROOM = 1000
"""Descriptors of a worker, for sessions."""

COLUMNS = 8192
"""A server that is given by name has some two thousand."""


class Town:
    """The servers, the listening sockets, and the board that all workers have in common."""

    def __init__(self, stack: ExitStack, **settings: Any) -> None:
        self.stack = stack
        self.server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        self.udp_server = self._datagrams()
        self.web = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        self.web.setblocking(False)
        dns = listener(name="dns", protocol=Protocol.UDP, upstream="names", idle_timeout=60.0)
        self.dns = stack.enter_context(listening.bind(dns, Inet("127.0.0.1", 0)))
        db = upstream(servers=(member(name="one", address=Inet(*self.server.getsockname())),), max_fails=0, **settings)
        names = upstream(
            name="names", servers=(member(name="ns", address=Inet(*self.udp_server.getsockname())),), max_fails=0
        )
        self.config = replace(config_of(db, names), listeners={"web": listener(), "dns": dns})
        self.board = OwnBoard(rows=8, columns=COLUMNS)
        self.row = Row(self.board, Columns(COLUMNS))
        self.posts: list[Post] = []
        self.flows: dict[socket.socket, tuple[str, int]] = {}
        """From where the server hears each UDP client."""

    def _datagrams(self) -> socket.socket:
        sock = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        return sock

    def post(self, **changes: Any) -> "Post":
        """Another worker."""
        self.posts.append(Post(self, **changes))
        return self.posts[-1]

    def client(self, post: "Post") -> tuple[socket.socket, socket.socket]:
        """A client that *post* serves, and its connection at the server."""
        before = post.capacity.sessions
        client = self.waiting(post)
        post.turn_until("the server is dialled", lambda: is_readable(self.server))
        peer, _ = self.server.accept()
        peer.settimeout(TIMEOUT)
        post.turn_until("it is served", lambda: post.capacity.sessions == before + 1)
        return client, self.stack.enter_context(peer)

    def waiting(self, post: "Post") -> socket.socket:
        """A client that *post* has accepted and dials for."""
        with socket.create_server(("127.0.0.1", 0)) as gate:
            client = self.stack.enter_context(socket.create_connection(gate.getsockname(), timeout=TIMEOUT))
            accepted, address = gate.accept()
        tcp = post.services.tcp["web"]
        dial(tcp, Session(tcp.service, address, 80, TCP_DESCRIPTORS), accepted)
        return client

    def udp_client(self, post: "Post") -> socket.socket:
        """One that has a flow in *post*, and whose first datagram the server has got."""
        client = self._datagrams()
        client.connect(self.dns.getsockname())
        client.send(b"first")
        post.services.receivers[self.bound].on_datagrams(IN)
        data, self.flows[client] = self.udp_server.recvfrom(100)
        assert data == b"first"
        return client

    @property
    def bound(self) -> str:
        return str(Inet(*self.dns.getsockname()[:2]))

    def turn(self) -> None:
        for post in self.posts:
            post.loop.turn()

    def turn_until(self, what: str, condition: Callable[[], object]) -> None:
        def turned() -> object:
            self.turn()
            return condition()

        wait_until(what, turned)

    def passes(self, sender: socket.socket, receiver: socket.socket, words: bytes) -> bool:
        sender.sendall(words)
        self.turn_until("it has passed", lambda: is_readable(receiver))
        return receiver.recv(1000) == words

    def total(self, metric: catalogue.Metric, *labels: str) -> int:
        """Over all workers, of all that these labels begin."""
        return sum(
            self.board.total(column)
            for found, column in self.row.columns.each(metric)
            if tuple(found[: len(labels)]) == labels
        )

    @property
    def gauges(self) -> list[int]:
        """TCP and UDP sessions, by listener and by server, and those that wait."""
        return [
            self.total(catalogue.SESSIONS, "web"),
            self.total(catalogue.SESSIONS, "dns"),
            self.total(catalogue.SERVER_SESSIONS, "db"),
            self.total(catalogue.SERVER_SESSIONS, "names"),
            self.total(catalogue.QUEUE_SESSIONS),
        ]


class Post:
    """One worker's part."""

    def __init__(
        self,
        town: Town,
        *,
        config: model.Config | None = None,
        slot: int = 0,
        slots: int = 1,
        room: int = ROOM,
    ) -> None:
        self.loop = NeverWaiting()
        town.stack.callback(self.loop.shut)
        self.sink = Lines()
        self.log = Log(self.sink, Level.DEBUG, "worker")
        self.capacity = Capacity(0, room)
        self.config = config or town.config
        self.row = Row(town.board, town.row.columns)
        nothing, _peer = channel.pair()
        town.stack.enter_context(nothing)
        _peer.close()
        columns = town.row.columns
        reserve(columns, self.config, slots)
        known = Columns.inherited(COLUMNS, columns.named, columns.free, columns.used)  # as a fork has them
        known.seal()
        common = Assignment(
            1, self.config, None, town.board, known, self.row.number, CONTROL, nothing, self.sink, 1, False
        )
        sockets = {"web": [town.stack.enter_context(town.web.dup())], "dns": [town.stack.enter_context(town.dns.dup())]}
        mine = {name: sockets[name] for name in self.config.listeners}
        assignment = self.assignment = WorkerAssignment.of(
            common, slot, slots, mine, dict.fromkeys(mine, ()), {}, b"", {}
        )
        chance = random.Random(1)
        machinery = Machinery(make_buffer(), Pipes(4, 1 << 18))
        self.services = Services(assignment, self.loop, self.log, self.capacity, machinery, chance)
        self.told: list[str] = []
        self.taker = Taker(
            assignment, self.loop, self.log, self.services, self.capacity, lambda: self.told.append("read")
        )
        self.giver = Giver(
            self.loop, self.log, self.services, self.capacity, (slot, slots), lambda: self.told.append("moved")
        )
        town.stack.callback(self.stop)

    def stop(self) -> None:
        for outgoing in [*self.giver._links.values(), *self.giver._parting]:
            outgoing.lose()
        for incoming in list(self.taker._links):
            self.taker._end(incoming)
        for service in self.services.all:
            service.stop()

    def turn_until(self, what: str, condition: Callable[[], object]) -> None:
        def turned() -> object:
            self.loop.turn()
            return condition()

        wait_until(what, turned)

    @property
    def stages(self) -> list[object]:
        """Every session there is."""
        return [
            *(stage for tcp in self.services.tcp.values() for stage in transfer.movable(tcp, queued=True)),
            *(entry for udp in self.services.udp.values() for entry in udp_transfer.movable(udp)),
        ]

    def warned(self, words: str) -> bool:
        return any(words in text for text in self.sink.texts)


def link(old: Post, new: Post, slot: int = 0, slots: int = 1) -> None:
    """As the master does."""
    ours, theirs = channel.link_pair()
    new.taker.add(theirs)
    old.giver.add(slot, slots, ours)


class Played:
    """The other end of a link, played by the test."""

    def __init__(self, stack: ExitStack, post: Post) -> None:
        self.post = post
        self.theirs, ours = channel.link_pair()
        self.link = Link(ours)
        stack.callback(self.link.close)

    def hears(self, key: str) -> Message:
        """The next message with *key* in its head; those before are passed over."""
        found: list[Message] = []

        def heard() -> bool:
            self.post.loop.turn()
            while (message := self.link.receive()) is not None:
                if key in message.head:
                    found.append(message)
                    return True
            return False

        wait_until(f"{key!r} is heard", heard)
        return found[0]

    def is_let_go(self) -> bool:
        """Whether the other side has closed the link; what it has said before is passed over."""

        def gone() -> bool:
            self.post.loop.turn()
            try:
                while self.link.receive() is not None:
                    pass
            except ConnectionError:
                return True
            return False

        wait_until("the link is closed", gone)
        return True
