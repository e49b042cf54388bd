"""UDP flows on their way from one worker to another, and the datagrams that come meanwhile."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind, Record, RecordError
from l4d.linux.datagram import cut_into
from l4d.loop import loop as loop_module
from l4d.stats import catalogue
from l4d.udp import transfer
from l4d.udp.client import Client, Entry
from l4d.udp.receive import Receiver
from tests.kit.processes import own_descriptors
from tests.unit.making import UNHURRIED, Clock
from tests.unit.udp.test_flow import House, everything


class Move:
    """Two workers; the first one reads the socket, and passes on what is not its own, as it does in a handover."""

    def __init__(self, stack: ExitStack, clock: Clock, bound: int = 100, **settings: Any) -> None:
        self.clock = clock
        self.old = House(stack, clock, **settings)
        self.new = House(stack, clock, elder=self.old, bound=bound, **settings)
        self.passed = 0

    def begin(self) -> None:
        """What the first worker reads from a client without a flow there is passed on from here on."""
        self.old.receiver.pass_on(self.pass_on)

    def pass_on(self, receiver: Receiver, client: Client, data: memoryview, cut: int) -> None:
        self.passed += 1
        plain = json.loads(json.dumps(transfer.datagram_told(receiver, client, cut)))
        transfer.take({self.new.receiver.bound: self.new.receiver}, plain, bytes(data))

    def move(self) -> Entry:
        """The one entry there is."""
        (entry,) = transfer.movable(self.old.udp)
        return self.new.take_over(self.old, entry)

    def turn(self) -> None:
        for house in (self.old, self.new):
            house.turn()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    return clock


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


# A flow


def test_a_flow_that_moves_keeps_its_server_and_the_address_it_has_there(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.old.send(b"before")
    _, before = move.old.one.recvfrom(100)
    move.begin()
    move.move()
    move.old.send(b"after")
    assert move.passed == 1
    data, after = move.new.one.recvfrom(100)
    assert (data, after) == (b"after", before)
    assert everything(move.new.two) == []
    move.new.one.sendto(b"answer", after)
    move.new.turn()
    assert move.new.client.recvfrom(100) == (b"answer", move.old.address)


def test_an_answer_that_waited_while_it_was_on_its_way_arrives(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.old.send(b"question")
    _, flow = move.old.one.recvfrom(100)
    move.old.one.sendto(b"answer", flow)
    move.move()
    move.new.turn()
    assert everything(move.new.client) == [b"answer"]


def test_a_flow_that_moves_is_counted_once(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.old.send(b"question")
    move.move()
    live = (catalogue.SESSIONS, catalogue.SERVER_SESSIONS)
    ever = (catalogue.SESSIONS_TOTAL, catalogue.SERVER_SESSIONS_TOTAL, catalogue.DATAGRAMS)
    assert [move.new.total(metric) for metric in (*live, *ever)] == [1] * 5
    assert (move.old.sessions, move.new.sessions) == (0, 1)
    move.new.after(10 + move.new.udp.grain)
    assert [move.new.total(metric) for metric in (*live, *ever)] == [0, 0, 1, 1, 1]
    assert (move.old.ends, move.new.ends) == ({}, {"UD": 1})


def test_a_flow_may_move_again_and_again_and_leaves_no_descriptor(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.old.send(b"question")
    before = own_descriptors()
    for _ in range(4):
        move.move()
        move.old, move.new = move.new, move.old
    assert own_descriptors() == before
    _, flow = move.old.one.recvfrom(100)
    move.old.one.sendto(b"answer", flow)
    move.old.turn()
    assert everything(move.old.client) == [b"answer"]


def test_its_silence_goes_on_from_when_it_began(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.old.send(b"question")
    move.old.after(6)
    move.move()
    move.new.after(3.9)
    assert move.new.sessions == 1
    move.new.after(0.1 + move.new.udp.grain)
    assert move.new.ends == {"UD": 1}


def test_its_longest_life_counts_from_its_beginning(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock, max_session_time=8.0)
    move.old.send(b"question")
    (entry,) = transfer.movable(move.old.udp)
    step = move.old.udp.lifetime.step_of(entry)  # type: ignore[arg-type]
    move.old.after(5)
    moved = move.move()
    assert move.new.udp.lifetime.step_of(moved) == step  # type: ignore[arg-type]
    move.new.after(2.9 - 0.1 * step)
    assert move.new.sessions == 1
    move.new.after(0.2)
    assert move.new.ends == {"TD": 1}


def test_what_the_listener_expects_of_a_flow_is_counted_from_its_beginning(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock, responses=2)
    move.old.send(b"question")
    _, flow = move.old.one.recvfrom(100)
    move.old.one.sendto(b"first", flow)
    move.old.turn()
    move.move()
    move.new.one.sendto(b"second", flow)
    move.new.turn()
    assert move.new.ends == {"UR": 1}
    assert everything(move.new.client) == [b"first", b"second"]


def test_a_flow_whose_requests_are_done_still_gets_its_answers_and_no_more_requests(
    stack: ExitStack, clock: Clock
) -> None:
    move = Move(stack, clock, requests=1)
    move.old.send(b"first")
    _, flow = move.old.one.recvfrom(100)
    move.begin()
    move.move()
    move.old.send(b"second")
    data, newer = move.new.one.recvfrom(100)
    assert data == b"second"
    assert newer != flow
    move.new.one.sendto(b"answer", flow)
    move.new.turn()
    assert everything(move.new.client) == [b"answer"]


def test_a_client_that_has_a_newer_flow_keeps_it_and_gets_the_answers_of_both(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.old.send(b"first")
    _, flow = move.old.one.recvfrom(100)
    (entry,) = transfer.movable(move.old.udp)
    parcel = entry.hand_over()
    move.begin()
    move.old.send(b"sent while it was on its way")
    _, newer = move.new.one.recvfrom(100)
    assert newer != flow
    move.new.adopt(parcel)
    move.old.send(b"next")
    assert move.new.one.recvfrom(100) == (b"next", newer)
    for number, address in enumerate((flow, newer)):
        move.new.one.sendto(b"answer %d" % number, address)
    move.new.turn()
    assert sorted(everything(move.new.client)) == [b"answer 0", b"answer 1"]


def test_in_a_full_table_a_flow_that_comes_gets_its_answers(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock, bound=1)
    move.old.send(b"first")
    _, flow = move.old.one.recvfrom(100)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another:
        another.bind(("127.0.0.1", 0))
        client = move.new.receiver.client_of(another.getsockname(), [])
        move.new.receiver.take(client, memoryview(b"fills the table"), 0)
    move.move()
    assert move.new.sessions == 2
    move.new.one.sendto(b"answer", flow)
    move.new.turn()
    assert everything(move.new.client) == [b"answer"]


def test_a_flow_that_comes_back_goes_on(stack: ExitStack, clock: Clock) -> None:
    """The other side did not take it."""
    move = Move(stack, clock)
    move.old.send(b"first")
    (entry,) = transfer.movable(move.old.udp)
    move.begin()
    parcel = entry.hand_over()
    assert not entry.movable
    assert list(transfer.movable(move.old.udp)) == []
    move.old.adopt(parcel)
    move.old.service.capacity.give_back(parcel.descriptors)
    move.old.send(b"second")
    assert move.passed == 0
    assert everything(move.old.one) == [b"first", b"second"]
    assert move.old.sessions == move.old.total(catalogue.SESSIONS) == 1


def test_one_whose_server_is_unreachable_goes_elsewhere_with_the_next_datagram(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.old.send(b"first")
    move.begin()
    move.move()
    move.new.one.close()
    move.old.send(b"lost")
    move.turn()
    assert move.new.ends == {"UI": 1}
    move.old.send(b"found")
    assert everything(move.new.two) == [b"found"]


def test_that_a_servers_datagrams_come_as_trains_is_known_there(stack: ExitStack, clock: Clock) -> None:
    """Taken as one, a train would be passed on as a single datagram."""
    move = Move(stack, clock)
    move.old.send(b"question")
    _, flow = move.old.one.recvfrom(100)
    for _ in range(40):  # until so many at once are expected that the socket is told to take trains
        for number in range(64):
            move.old.one.sendto(b"%03d" % number, flow)
        move.old.turn()
        everything(move.old.client)
    (entry,) = transfer.movable(move.old.udp)
    parcel = entry.hand_over()
    assert parcel.record.trains
    move.new.adopt(parcel)
    move.new.one.sendmsg([b"aaabbbcc"], [cut_into(3)], 0, flow)
    move.new.turn()
    assert everything(move.new.client) == [b"aaa", b"bbb", b"cc"]


# Datagrams that are passed on


def test_a_new_client_that_the_old_worker_hears_is_served_by_the_new_one(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    move.begin()
    move.old.send(b"one", b"", b"three")
    assert everything(move.new.one) == [b"one", b"", b"three"]
    assert (move.old.sessions, move.new.sessions) == (0, 1)
    assert move.old.dropped("stopping") == 0


def test_those_who_have_a_flow_in_the_old_worker_are_served_there_until_it_has_moved(
    stack: ExitStack, clock: Clock
) -> None:
    move = Move(stack, clock)
    move.old.send(b"first")
    move.begin()
    move.old.send(b"second")
    assert (move.passed, move.old.sessions) == (0, 1)
    assert everything(move.old.one) == [b"first", b"second"]


@pytest.mark.parametrize("requests", [0, 10])
def test_a_train_arrives_as_its_datagrams_whether_or_not_they_are_counted(
    stack: ExitStack, clock: Clock, requests: int
) -> None:
    move = Move(stack, clock, requests=requests)
    client = move.new.receiver.client_of(move.new.client.getsockname(), [])
    move.pass_on(move.old.receiver, client, memoryview(b"aaabbbcc"), 3)
    assert everything(move.new.one) == [b"aaa", b"bbb", b"cc"]
    move.pass_on(move.old.receiver, client, memoryview(b"dddeee"), 3)
    assert everything(move.new.one) == [b"ddd", b"eee"]
    assert move.new.total(catalogue.DATAGRAMS) == 5


def test_a_train_that_ends_a_flow_goes_on_in_the_next_one(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock, requests=2)
    client = move.new.receiver.client_of(move.new.client.getsockname(), [])
    move.pass_on(move.old.receiver, client, memoryview(b"abc"), 1)
    assert (everything(move.new.one), everything(move.new.two)) == ([b"a", b"b"], [b"c"])


def test_what_comes_to_an_address_that_nobody_has_there_is_dropped(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, clock)
    client = move.old.receiver.client_of(("127.0.0.1", 7), [])
    transfer.take({}, transfer.datagram_told(move.old.receiver, client, 0), b"question")


@pytest.mark.parametrize(
    "changes",
    [
        {"to": []},
        {"to": {}},
        {"client": "nobody"},
        {"client": ["db.example", 53]},
        {"client": ["127.0.0.1", 1 << 16]},
        {"reply": [[0]]},
        {"reply": None},
        {"cut": -1},
        {"cut": "3"},
        {"cut": 1.5},
        {"cut": 9},
        {"cut": 10**400},
    ],
)
def test_what_is_no_datagram_is_an_error_of_the_record(
    stack: ExitStack, clock: Clock, changes: dict[str, object]
) -> None:
    house = House(stack, clock)
    client = house.receiver.client_of(("127.0.0.1", 7), [])
    plain = transfer.datagram_told(house.receiver, client, 0) | changes
    with pytest.raises(RecordError):
        transfer.take({house.receiver.bound: house.receiver}, plain, b"question")
    assert house.sessions == 0


@UNHURRIED
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["to", "client", "reply", "cut"]), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_whatever_arrives_is_a_datagram_or_an_error_of_the_record(plain: Any) -> None:
    try:
        transfer.take({}, plain, b"question")
    except RecordError:
        return


# A socket of all addresses


def test_on_a_socket_of_all_addresses_answers_still_leave_from_the_one_the_client_wrote_to(
    stack: ExitStack, clock: Clock
) -> None:
    move = Move(stack, clock, host="0.0.0.0")
    port = move.old.address[1]
    for host in ("127.0.0.2", "127.0.0.3"):
        move.old.client.sendto(host.encode(), (host, port))
    move.old.turn()
    assert move.old.sessions == 2, "each of our addresses is another flow"
    move.begin()
    for entry in list(transfer.movable(move.old.udp)):
        move.new.take_over(move.old, entry)
    flows = {}
    for server in (move.new.one, move.new.two):
        data, flow = server.recvfrom(100)
        flows[data.decode()] = server, flow
    for host in ("127.0.0.3", "127.0.0.2"):
        server, flow = flows[host]
        move.old.client.sendto(b"again", (host, port))
        move.turn()
        assert server.recvfrom(100) == (b"again", flow)
        server.sendto(b"answer", flow)
        move.new.turn()
        assert move.new.client.recvfrom(100) == (b"answer", (host, port))
    assert move.new.begun == 0, "both have found their flows"


# What is no flow


def record_of_flow(**changes: Any) -> Record:
    told = Record(Kind.FLOW.value, "web", [2], ("127.0.0.1", 7), server=["db", "one", ""], bound="", current=True)
    for name, value in changes.items():
        setattr(told, name, value)
    return told


@pytest.mark.parametrize(
    ("changes", "sockets", "served"),
    [
        ({"kind": "of the next version"}, 1, True),
        ({"kind": Kind.RELAY.value}, 1, True),
        ({}, 0, True),
        ({}, 2, True),
        ({}, 1, False),
        ({"client": "/run/client"}, 1, True),
        ({"client": ("db.example", 53)}, 1, True),
        ({"reply": [5]}, 1, True),
    ],
)
def test_what_is_no_flow_is_refused_and_nothing_is_counted(
    stack: ExitStack, clock: Clock, changes: dict[str, object], sockets: int, served: bool
) -> None:
    house = House(stack, clock)
    socks = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(sockets)]
    server = house.server("one") if served else None
    with pytest.raises(RecordError):
        transfer.adopt(house.receiver, Parcel(record_of_flow(**changes), list(socks), 1), server, lambda _words: None)
    assert (house.sessions, house.loads, len(house.receiver.flows)) == (0, [0, 0], 0)
