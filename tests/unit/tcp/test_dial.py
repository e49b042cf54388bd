"""Dialling, turn by turn: what happens when several things happen in one turn."""

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from l4d.address import Inet
from l4d.linux.pipes import Pipes
from l4d.movers.copy import make_buffer
from l4d.movers.machinery import Machinery
from l4d.session.session import Session
from l4d.stats import catalogue
from l4d.tcp.dial import dial
from l4d.tcp.service import TcpService
from tests.kit.wait import TIMEOUT, is_readable, wait_until
from tests.unit.making import NeverWaiting, Row, listener, upstream


class House:
    """A TCP listener without its listening socket: clients are handed in; two servers."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.loop = NeverWaiting()
        stack.callback(self.loop.shut)
        self.one, self.two = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        self.row = Row()
        config = upstream(max_fails=0, early_close=60.0, connect_timeout=60.0, tries_timeout=60.0)
        servers = [
            self.row.server(config, name=name, address=Inet(*sock.getsockname()))
            for name, sock in (("one", self.one), ("two", self.two))
        ]
        for server in servers:
            server.patience = 100  # every answer is waited for, as from a server far away
        service = self.row.service(self.loop, *servers, listener=listener(), upstream=config)
        self.tcp = TcpService(service, Machinery(make_buffer(), Pipes(0, 1 << 16)), random.Random(1))
        stack.callback(self.tcp.stop)

    def client(self) -> socket.socket:
        """A client that has been accepted and is dialled for."""
        with socket.create_server(("127.0.0.1", 0)) as gate:
            client = self.stack.enter_context(socket.create_connection(gate.getsockname(), timeout=TIMEOUT))
            accepted, address = gate.accept()
        dial(self.tcp, Session(self.tcp.service, address, 80, 2), accepted)
        return client

    def accept(self, server: socket.socket) -> socket.socket:
        """The session's connection at *server*, as soon as l4d has dialled it and knows that it was answered."""

        self.turn_until("l4d has dialled the server", lambda: is_readable(server))
        peer, _ = server.accept()
        peer.settimeout(TIMEOUT)
        return self.stack.enter_context(peer)

    def turn_until(self, what: str, condition: Callable[[], object]) -> None:
        def turned() -> object:
            self.loop.turn()
            return condition()

        wait_until(what, turned)

    def count(self, metric: catalogue.Metric) -> dict[str, int]:
        """By the last labels, without those that are zero."""
        numbers = [(labels[1:], self.row.row[column]) for labels, column in self.row.columns.each(metric)]
        return {" ".join(labels): number for labels, number in numbers if number}


@pytest.fixture
def house() -> Iterator[House]:
    with ExitStack() as stack:
        yield House(stack)


def test_a_server_that_closes_early_is_left_for_another_and_the_client_does_not_notice(house: House) -> None:
    client = house.client()
    house.accept(house.one).close()
    peer = house.accept(house.two)
    client.sendall(b"question")
    house.turn_until("the question has passed", lambda: is_readable(peer))
    assert peer.recv(100) == b"question"
    assert house.count(catalogue.SERVER_FAILURES) == {"one early_close": 1}


def test_a_client_that_speaks_in_the_turn_in_which_its_server_closes_early_is_dialled_for_again(house: House) -> None:
    """Both events are in one batch, the server's first: the client's is not news of its leaving."""
    client = house.client()
    peer = house.accept(house.one)
    house.turn_until("the relay has begun", lambda: house.count(catalogue.SERVER_SESSIONS))
    peer.close()
    client.sendall(b"question")
    other = house.accept(house.two)
    house.turn_until("the question has passed", lambda: is_readable(other))
    assert other.recv(100) == b"question"
    assert house.count(catalogue.SESSION_ENDS) == {}
