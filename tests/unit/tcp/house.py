"""A TCP listener without its listening socket: clients are handed in, and servers accept when the test says so."""

import json
import os
import random
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from l4d.address import Inet
from l4d.config import model
from l4d.handover import record
from l4d.handover.parcel import Parcel
from l4d.linux.pipes import Pipes
from l4d.movers.copy import make_buffer
from l4d.movers.machinery import Machinery
from l4d.session.session import Session
from l4d.session.transfer import identity
from l4d.stats import catalogue
from l4d.tcp.dial import dial
from l4d.tcp.queue import advance
from l4d.tcp.service import Movable, TcpService
from l4d.tcp.transfer import adopt
from l4d.upstream.server import Server
from tests.kit.wait import TIMEOUT, is_readable, wait_until
from tests.unit.making import Lines, NeverWaiting, Row, listener, upstream

PATIENT = {"max_fails": 0, "connect_timeout": 60.0, "tries_timeout": 60.0, "queue_timeout": 60.0}


class House:
    """One worker's part of it. Servers are called "one" and "two"."""

    def __init__(
        self,
        stack: ExitStack,
        row: Row | None = None,
        *,
        most: int = 0,
        web: model.Listener | None = None,
        elder: "House | None" = None,
        pipes: int = 0,
        **settings: Any,
    ) -> None:
        """*most* is the servers' max_sessions, *web* the listener; *elder* has the same servers and board."""
        self.stack = stack
        self.loop = NeverWaiting()
        stack.callback(self.loop.shut)
        if elder is None:
            self.one, self.two = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        else:
            self.one, self.two = elder.one, elder.two
        self.row: Row = row or (elder.row.another() if elder is not None else Row())
        config = upstream(**{**PATIENT, **settings})
        places = [
            self.row.place(config, name=name, address=Inet(*sock.getsockname()), max_sessions=most)
            for name, sock in (("one", self.one), ("two", self.two))
        ]
        self.sink = Lines()
        service = self.row.service(self.loop, *places, listener=web or listener(), upstream=config, sink=self.sink)
        self.pool = service.pool
        self.pool.refresh(self.loop.now)
        self.pipes = Pipes(pipes, 1 << 18)
        self.tcp = TcpService(service, Machinery(make_buffer(), self.pipes), random.Random(1))
        stack.callback(self.tcp.stop)

    def server(self, name: str) -> Server:
        return next(server for server in self.pool.servers if server.name == name)

    def client(self) -> socket.socket:
        """A client that has been accepted and is dialled for."""
        with socket.create_server(("127.0.0.1", 0)) as gate:
            client = self.stack.enter_context(socket.create_connection(gate.getsockname(), timeout=TIMEOUT))
            accepted, address = gate.accept()
        dial(self.tcp, Session(self.tcp.service, address, 80, 2), accepted)
        return client

    def accept(self, server: socket.socket) -> socket.socket:
        """The session's connection at *server*, as soon as l4d has dialled it."""
        self.turn_until("l4d has dialled the server", lambda: is_readable(server))
        peer, _ = server.accept()
        peer.settimeout(TIMEOUT)
        return self.stack.enter_context(peer)

    def is_served(self, client: socket.socket, server: socket.socket) -> bool:
        """Whether what *client* says arrives at the next connection of *server*."""
        peer = self.accept(server)
        client.sendall(b"question")
        self.turn_until("the question has passed", lambda: is_readable(peer))
        return peer.recv(100) == b"question"

    def turn_until(self, what: str, condition: Callable[[], object]) -> None:
        def turned() -> object:
            self.loop.turn()
            return condition()

        wait_until(what, turned)

    def take_over(self, elder: "House", stage: Movable) -> Movable:
        """Go on with a session of *elder*: what goes over is what would go over a link."""
        parcel = stage.hand_over()
        told = record.understood(json.loads(json.dumps(record.told(parcel.record))))
        copies = [socket.SocketType(sock.family, sock.type, 0, os.dup(sock.fileno())) for sock in parcel.sockets]
        for sock in parcel.sockets:
            elder.loop.close(sock, sock.fileno())
        elder.tcp.service.capacity.give_back(parcel.descriptors)
        elder.loop.turn()
        return self.adopt(Parcel(told, list(copies), parcel.descriptors, parcel.up, parcel.down))

    def adopt(self, parcel: Parcel) -> Movable:
        known = {tuple(identity(server)): server for server in self.pool.servers}
        return adopt(self.tcp, parcel, known.get(tuple(parcel.record.server)), lambda words: known.get(tuple(words)))

    def hear_of_gaps(self) -> None:
        """What a worker does when the board tells that a session has left a full server."""
        advance([self.tcp])
        self.loop.turn()

    def count(self, metric: catalogue.Metric) -> dict[str, int]:
        """By the last labels, without those that are zero."""
        numbers = [(labels[1:], self.row.row[column]) for labels, column in self.row.columns.each(metric)]
        return {" ".join(labels): number for labels, number in numbers if number}

    def total(self, metric: catalogue.Metric) -> int:
        """Over all workers."""
        return sum(self.row.board.total(column) for _, column in self.row.columns.each(metric))

    @property
    def ends(self) -> dict[str, int]:
        return self.count(catalogue.SESSION_ENDS)

    @property
    def waiting(self) -> int:
        """How many are counted as waiting, over all workers."""
        return sum(self.row.board.read(self.row.columns.of(catalogue.QUEUE_SESSIONS, "db")))
