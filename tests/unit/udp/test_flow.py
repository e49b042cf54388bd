"""Flows, from the listening socket to the servers and back, turn by turn of a loop whose clock is a number."""

import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from l4d.address import Inet
from l4d.config import model
from l4d.handover import record
from l4d.handover.parcel import Parcel
from l4d.linux import listening
from l4d.loop import loop as loop_module
from l4d.session.transfer import identity
from l4d.stats import catalogue
from l4d.terms import End, Protocol
from l4d.udp.client import Entry
from l4d.udp.flow import Flow
from l4d.udp.receive import Receiver
from l4d.udp.service import DATAGRAM, UdpService, make_buffer
from l4d.udp.transfer import adopt
from l4d.upstream.server import Server
from tests.unit.making import Clock, NeverWaiting, Row, listener, upstream

NEVER_OUT = upstream(max_fails=0)


class House:
    """One listener with its receiver, two servers, and a client. On loopback a datagram that was sent has arrived."""

    def __init__(
        self,
        stack: ExitStack,
        clock: Clock,
        bound: int = 100,
        config: model.Upstream = NEVER_OUT,
        host: str = "127.0.0.1",
        elder: "House | None" = None,
        **settings: Any,
    ) -> None:
        """*elder* is the worker before this one, which still reads the socket they have in common."""
        self.clock = clock
        self.loop = NeverWaiting()
        stack.callback(self.loop.shut)
        if elder is None:
            self.one, self.two, self.client = (self._socket(stack) for _ in range(3))
            self.row = Row()
        else:
            self.one, self.two, self.client = elder.one, elder.two, elder.client
            self.row = elder.row.another()
        listening_at = listener(protocol=Protocol.UDP, idle_timeout=10.0, **settings)
        places = [
            self.row.place(config, name=name, address=Inet(*sock.getsockname()))
            for name, sock in (("one", self.one), ("two", self.two))
        ]
        sock: socket.socket = elder.sock.dup() if elder is not None else listening.bind(listening_at, Inet(host, 0))
        self.sock: socket.socket = stack.enter_context(sock)
        self.service = self.row.service(self.loop, *places, listener=listening_at, upstream=config)
        self.service.pool.refresh(clock.now)
        self.udp = UdpService(self.service, make_buffer(), random.Random(1))
        self.receiver = Receiver(self.udp, sock, bound)
        if elder is None:
            self.receiver.watch()
        self.address = sock.getsockname()
        stack.callback(self.udp.stop)

    @staticmethod
    def _socket(stack: ExitStack) -> socket.socket:
        sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        return sock

    def take_over(self, elder: "House", entry: Entry) -> Entry:
        """Go on with what *elder* has in its table: what goes over is what would go over a link."""
        parcel = entry.hand_over()
        told = record.understood(json.loads(json.dumps(record.told(parcel.record))))
        copies = [socket.SocketType(sock.family, sock.type, 0, os.dup(sock.fileno())) for sock in parcel.sockets]
        for sock in parcel.sockets:
            elder.loop.close(sock, sock.fileno())
        if parcel.descriptors:
            elder.service.capacity.give_back(parcel.descriptors)
        elder.loop.turn()
        return self.adopt(Parcel(told, list(copies), parcel.descriptors))

    def adopt(self, parcel: Parcel) -> Entry:
        known = {tuple(identity(server)): server for server in self.service.pool.servers}
        return adopt(
            self.receiver, parcel, known.get(tuple(parcel.record.server)), lambda words: known.get(tuple(words))
        )

    def total(self, metric: catalogue.Metric) -> int:
        """Over all workers."""
        return sum(self.row.board.total(column) for _, column in self.row.columns.each(metric))

    def send(self, *datagrams: bytes) -> None:
        """The client's, all before the loop turns."""
        for data in datagrams:
            self.client.sendto(data, self.address)
        self.turn()

    def turn(self) -> None:
        for _ in range(10):
            self.loop.turn()

    def after(self, seconds: float) -> None:
        self.clock.now += seconds
        self.turn()

    @property
    def sessions(self) -> int:
        """Those that live."""
        return self.service.capacity.sessions

    @property
    def begun(self) -> int:
        """All there ever were."""
        return int(self.row.row[self.row.columns.of(catalogue.SESSIONS_TOTAL, "web")])

    def server(self, name: str) -> Server:
        return next(server for server in self.service.pool.servers if server.name == name)

    @property
    def loads(self) -> list[int]:
        """What each server has to do."""
        return [server.load() for server in self.service.pool.servers]

    @property
    def ends(self) -> dict[str, int]:
        ends = self.row.columns.each(catalogue.SESSION_ENDS)
        return {labels[1]: number for labels, column in ends if (number := self.row.row[column])}

    def dropped(self, reason: str) -> int:
        return int(self.row.row[self.row.columns.of(catalogue.DATAGRAMS_DROPPED, "web", reason)])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    return clock


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def everything(sock: socket.socket) -> list[bytes]:
    """All datagrams that wait."""
    datagrams = []
    while True:
        try:
            datagrams.append(sock.recv(DATAGRAM))
        except BlockingIOError:
            return datagrams


def test_one_client_is_one_flow_to_one_server(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.send(b"one", b"", b"three")
    house.send(b"four")
    assert everything(house.one) == [b"one", b"", b"three", b"four"]
    assert everything(house.two) == []
    assert house.sessions == 1


def test_an_answer_comes_from_the_address_the_client_wrote_to(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.send(b"question")
    _, flow = house.one.recvfrom(100)
    house.one.sendto(b"answer", flow)
    house.one.sendto(b"", flow)
    house.turn()
    assert house.client.recvfrom(100) == (b"answer", house.address)
    assert house.client.recvfrom(100) == (b"", house.address)


def test_a_flow_that_hears_from_neither_side_is_over_after_idle_timeout(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.send(b"question")
    house.after(9)
    house.send(b"question")
    _, flow = house.one.recvfrom(100)
    house.after(9)
    house.one.sendto(b"answer", flow)
    house.turn()
    house.after(9.9)
    assert house.sessions == 1
    house.after(0.1 + house.udp.grain)
    assert house.sessions == 0
    assert len(house.receiver.flows) == 0


def test_a_flow_is_over_when_all_its_answers_are_there(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock, responses=2)
    house.send(b"question")
    _, flow = house.one.recvfrom(100)
    for left in (1, 0):
        house.one.sendto(b"answer", flow)
        house.turn()
        assert house.sessions == left
    assert everything(house.client) == [b"answer"] * 2


def test_where_no_answer_is_expected_a_flow_is_over_at_once(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock, responses=0)
    house.send(b"log line", b"log line")
    assert (everything(house.one), everything(house.two)) == ([b"log line"], [b"log line"])
    assert (house.begun, house.sessions) == (2, 0)


def test_after_its_requests_a_client_is_balanced_anew_and_earlier_answers_still_pass(
    stack: ExitStack, clock: Clock
) -> None:
    house = House(stack, clock, requests=1)
    house.send(b"first", b"second")
    data, flow = house.one.recvfrom(100)
    assert data == b"first"
    assert everything(house.two) == [b"second"]
    house.one.sendto(b"answer", flow)
    house.turn()
    assert everything(house.client) == [b"answer"]


def test_a_flow_whose_requests_are_done_is_idle_in_the_end_though_no_answer_ever_came(
    stack: ExitStack, clock: Clock
) -> None:
    house = House(stack, clock, requests=1)
    house.send(b"first", b"second")
    assert house.sessions == 2
    house.after(10 + house.udp.grain)
    assert house.sessions == 0


def test_the_datagram_after_a_refusal_goes_to_another_server(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.one.close()
    house.send(b"lost")
    house.send(b"found")
    assert everything(house.two) == [b"found"]
    assert (house.begun, house.sessions) == (2, 1)


def test_a_datagram_sent_before_the_refusal_was_read_is_not_lost(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.one.close()
    house.send(b"lost", b"found")
    assert everything(house.two) == [b"found"]


def test_a_refused_client_that_says_no_more_is_forgotten_after_idle_timeout(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.one.close()
    house.send(b"lost")
    assert len(house.receiver.flows) == 1
    assert house.sessions == 0
    house.after(10 + house.udp.grain)
    assert len(house.receiver.flows) == 0
    assert len(house.udp.waiting) == 0


def test_the_refusal_of_an_earlier_flow_leaves_the_clients_present_one_alone(stack: ExitStack, clock: Clock) -> None:
    """The second datagram ends the first flow's requests and is refused; the third has begun another flow by then."""
    house = House(stack, clock, requests=2)
    house.send(b"1")
    house.one.close()
    house.send(b"2", b"3")
    house.send(b"4")
    assert everything(house.two) == [b"3", b"4"]
    assert house.begun == 2


def test_in_a_full_table_new_clients_are_dropped_and_those_within_are_served(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock, bound=1)
    house.send(b"mine")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another:
        another.sendto(b"not mine", house.address)
        house.turn()
        house.send(b"mine too")
        assert everything(house.one) == [b"mine", b"mine too"]
        assert house.dropped("table_full") == 1
        house.after(10 + house.udp.grain)
        another.sendto(b"now mine", house.address)
        house.turn()
    assert everything(house.two) == [b"now mine"]


def test_one_that_admits_nobody_still_serves_those_it_knows(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.send(b"known")
    house.receiver.admit_nobody()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another:
        another.sendto(b"unknown", house.address)
        house.turn()
    house.send(b"known still")
    assert everything(house.one) == [b"known", b"known still"]
    assert house.dropped("stopping") == 1


def test_stopping_ends_every_flow(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock, requests=1)
    house.send(b"first", b"second")
    house.udp.stop()
    assert house.sessions == 0


# What the servers have to do


def test_a_flow_counts_as_a_session_of_its_server_until_it_is_over(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.send(b"question")
    assert house.loads == [1, 0]
    house.after(10 + house.udp.grain)
    assert house.loads == [0, 0]
    assert house.ends == {"UD": 1}


def test_a_flow_that_was_refused_leaves_no_count_behind(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.one.close()
    house.send(b"lost")
    assert (house.loads, house.ends) == ([0, 0], {"UI": 1})
    house.send(b"found")
    assert house.loads == [0, 1]


def test_where_every_server_is_full_a_new_clients_datagram_is_dropped(stack: ExitStack, clock: Clock) -> None:
    """A datagram waits in no queue."""
    house = House(stack, clock)
    for server in house.service.pool.servers:
        server.max_sessions = 1
        assert server.take()
    house.send(b"question")
    assert (house.loads, house.ends) == ([1, 1], {"PL": 1})
    assert house.dropped("no_server") == 1


def test_on_probation_the_first_answer_brings_a_server_in(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock, config=upstream(max_fails=1, fail_timeout=10.0))
    one, two = house.server("one"), house.server("two")
    one.failed(clock.now)
    two.failed(clock.now)
    house.after(10)
    house.send(b"question")
    assert one.on_probation
    assert not one.takes(())
    _, flow = house.one.recvfrom(100)
    house.one.sendto(b"answer", flow)
    house.turn()
    assert (one.on_probation, one.out_until, one.takes(())) == (False, 0, True)


def test_on_probation_a_flow_without_an_answer_makes_room_for_the_next_when_it_is_over(
    stack: ExitStack, clock: Clock
) -> None:
    house = House(stack, clock, config=upstream(max_fails=1, fail_timeout=10.0))
    one = house.server("one")
    one.failed(clock.now)
    house.server("two").failed(clock.now)
    house.after(10)
    house.send(b"question")
    assert not one.takes(())
    house.after(10 + house.udp.grain)
    assert one.takes(())
    assert one.on_probation


# A server that goes down


def test_every_flow_of_a_server_that_went_down_can_be_ended_and_no_other(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.send(b"mine")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another:
        another.sendto(b"another's", house.address)
        house.turn()
    assert house.loads == [1, 1]
    one, two = house.service.pool.servers
    (flow,) = house.udp.served_by(one)
    flow.server_lost(End.SERVER_DOWN)
    assert (house.loads, house.ends) == ([0, 1], {"SK": 1})
    assert list(house.udp.served_by(one)) == []
    assert len(list(house.udp.served_by(two))) == 1


def test_a_flow_whose_requests_are_done_is_ended_with_its_server_too(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock, requests=1)
    house.send(b"first")
    for flow in house.udp.served_by(house.server("one")):
        flow.server_lost(End.SERVER_DOWN)
    assert house.ends == {"SK": 1}


def test_the_client_of_a_flow_that_ended_with_its_server_begins_another(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.send(b"first")
    for flow in house.udp.served_by(house.server("one")):
        flow.server_lost(End.SERVER_DOWN)
    house.send(b"second")
    assert everything(house.two) == [b"second"]


def test_a_flow_that_an_operator_kills_is_over_and_the_next_datagram_begins_another(
    stack: ExitStack, clock: Clock
) -> None:
    house = House(stack, clock)
    house.send(b"first")
    (flow,) = house.udp.served_by(house.server("one"))
    assert isinstance(flow, Flow)
    assert (flow.current, flow.phase, flow.moved, flow.session.datagrams_up) == (True, "relay", (0, 0), 1)
    assert flow.silent_since <= clock.now
    flow.kill()
    assert (flow.current, house.loads, house.ends) == (False, [0, 0], {"KD": 1})
    house.send(b"second")
    assert everything(house.two) == [b"second"]


def test_a_client_that_was_refused_is_served_by_nobody(stack: ExitStack, clock: Clock) -> None:
    house = House(stack, clock)
    house.one.close()
    house.send(b"lost")
    (refused,) = house.udp.waiting
    assert list(house.udp.served_by(house.server("one"))) == []
    refused.server_lost(End.SERVER_DOWN)
    assert len(house.receiver.flows) == 1
