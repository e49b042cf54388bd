"""TCP sessions on their way from one worker to another, in whatever state they are; neither side may notice."""

import random
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind, Record, RecordError, Way
from l4d.loop import loop as loop_module
from l4d.stats import catalogue
from l4d.tcp import transfer
from l4d.tcp.farewell import unacknowledged
from l4d.tcp.service import Movable
from l4d.terms import Relay
from tests.kit.processes import own_descriptors
from tests.kit.wait import TIMEOUT, is_readable, wait_until
from tests.unit.making import Clock, listener
from tests.unit.tcp.house import House

RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: close by RST."""


class Move:
    """Two workers with the same servers; a client of the first one moves to the second."""

    def __init__(self, stack: ExitStack, web: dict[str, Any] | None = None, **settings: Any) -> None:
        config = listener(**(web or {}))
        self.old = House(stack, web=config, pipes=4, **settings)
        self.new = House(stack, web=config, pipes=4, elder=self.old, **settings)

    def session(self) -> tuple[socket.socket, socket.socket]:
        """A client that the first server serves, and its connection there."""
        client = self.old.client()
        peer = self.old.accept(self.old.one)
        self.old.turn_until("the dial is answered", lambda: self.all)
        return client, peer

    @property
    def all(self) -> list[Movable]:
        return list(transfer.movable(self.old.tcp, queued=True))

    def move(self) -> Movable:
        """The one session there is."""
        (stage,) = self.all
        return self.new.take_over(self.old, stage)

    def wait_for_bytes(self, number: int) -> None:
        """Until so many have passed in the first worker."""
        self.old.turn_until("they have passed", lambda: self.old.total(catalogue.BYTES) == number)

    def passes(self, sender: socket.socket, receiver: socket.socket, words: bytes) -> bool:
        sender.sendall(words)
        self.new.turn_until("it has passed", lambda: is_readable(receiver))
        return receiver.recv(1000) == words


def stuff(house: House, writer: socket.socket) -> bytes:
    """Write until nothing more goes in: all that was taken."""
    chance = random.Random(1)
    taken = bytearray()
    writer.setblocking(False)
    quiet = 0
    while quiet < 20:
        data = chance.randbytes(1 << 16)
        try:
            taken += data[: writer.send(data)]
            quiet = 0
        except BlockingIOError:
            quiet += 1
        house.loop.turn()
    writer.settimeout(TIMEOUT)
    return bytes(taken)


def read(house: House, reader: socket.socket, size: int) -> bytes:
    """So many bytes, or all there are before the end."""
    received = bytearray()
    reader.setblocking(False)

    def is_done() -> bool:
        while len(received) < size:
            house.loop.turn()
            try:
                data = reader.recv(1 << 20)
            except BlockingIOError:
                return False
            if not data:
                break
            received.extend(data)
        return True

    wait_until("all has come", is_done)
    reader.settimeout(TIMEOUT)
    return bytes(received)


def read_until_reset(house: House, reader: socket.socket) -> bytes:
    """All there is before the reset."""
    received = bytearray()
    reader.setblocking(False)

    def is_reset() -> bool:
        while True:
            house.loop.turn()
            try:
                data = reader.recv(1 << 20)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                return True
            assert data, "a FIN where a reset was due"
            received.extend(data)

    wait_until("it is reset", is_reset)
    return bytes(received)


def ended(house: House, sock: socket.socket) -> bool:
    """Whether *sock* hears a FIN."""
    house.turn_until("there is something to hear", lambda: is_readable(sock))
    return sock.recv(1) == b""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    return clock


# A session at rest


@pytest.mark.parametrize("relay", Relay)
def test_an_idle_session_goes_on_over_the_same_connections(stack: ExitStack, relay: Relay) -> None:
    move = Move(stack, {"relay": relay})
    client, peer = move.session()
    ends = client.getpeername(), peer.getpeername()
    move.move()
    for number in range(3):
        assert move.passes(client, peer, b"question %d" % number)
        assert move.passes(peer, client, b"answer %d" % number)
    assert (client.getpeername(), peer.getpeername()) == ends
    assert not is_readable(move.new.one), "nobody was dialled again"


def test_what_was_sent_while_it_was_on_its_way_arrives(stack: ExitStack) -> None:
    move = Move(stack)
    client, peer = move.session()
    client.sendall(b"sent to nobody yet")
    move.move()
    move.new.turn_until("it has passed", lambda: is_readable(peer))
    assert peer.recv(100) == b"sent to nobody yet"


def test_a_session_that_moves_is_counted_once_with_all_its_bytes(stack: ExitStack) -> None:
    move = Move(stack)
    client, peer = move.session()
    client.sendall(b"question")
    move.old.turn_until("it has passed", lambda: is_readable(peer))
    move.move()
    counts = {
        metric: move.new.total(metric)
        for metric in (
            catalogue.SESSIONS,
            catalogue.SESSIONS_TOTAL,
            catalogue.SERVER_SESSIONS,
            catalogue.SERVER_SESSIONS_TOTAL,
        )
    }
    assert set(counts.values()) == {1}
    assert [house.tcp.service.capacity.sessions for house in (move.old, move.new)] == [0, 1]
    assert move.passes(peer, client, b"answer")
    assert move.new.total(catalogue.BYTES) == len(b"question") + len(b"answer")
    assert peer.recv(100) == b"question"
    client.close()
    peer.close()
    move.new.turn_until("it is over", lambda: move.new.ends)
    assert (move.old.ends, move.new.ends) == ({}, {"--": 1})
    assert move.new.total(catalogue.SESSIONS) == move.new.total(catalogue.SERVER_SESSIONS) == 0


def test_the_line_of_its_end_tells_its_whole_life(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack)
    client, peer = move.session()
    client.sendall(b"question")
    move.old.turn_until("it has passed", lambda: is_readable(peer))
    clock.now += 50
    move.move()
    clock.now += 50
    move.new.loop.turn()
    move.new.tcp.stop()
    (line,) = [text for text in move.new.sink.texts if text.startswith("session")]
    assert " up=8 down=0 " in line
    assert " total=100000ms tries=1 " in line


def test_a_session_may_move_again_and_again_and_leaves_no_descriptor(stack: ExitStack) -> None:
    move = Move(stack)
    client, peer = move.session()
    before = own_descriptors()
    for _ in range(5):
        move.move()
        move.old, move.new = move.new, move.old
    move.old, move.new = move.new, move.old
    assert own_descriptors() == before
    assert move.passes(client, peer, b"question")


def test_those_that_can_move_are_found_the_longest_silent_first(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack)
    clients = []
    for _ in range(3):
        clients.append(move.old.client())
        move.old.turn_until("it is served", lambda: len(move.all) == len(clients))
        clock.now += 10
    clients[0].sendall(b"not silent")
    move.wait_for_bytes(10)
    order = []
    for stage in move.all:
        parcel = stage.hand_over()
        order.append(parcel.record.client)
        move.new.adopt(parcel)
    assert order == [clients[number].getsockname() for number in (1, 2, 0)]


# Bytes on their way


@pytest.mark.parametrize("relay", Relay)
@pytest.mark.parametrize("way", ["up", "down", "both"])
def test_no_byte_that_waits_is_lost_or_turned_around(stack: ExitStack, relay: Relay, way: str) -> None:
    move = Move(stack, {"relay": relay})
    client, peer = move.session()
    ways = [(client, peer)] * (way != "down") + [(peer, client)] * (way != "up")
    written = [stuff(move.old, writer) for writer, _ in ways]
    (stage,) = move.all
    parcel = stage.hand_over()
    assert [bool(parcel.up), bool(parcel.down)] == [way != "down", way != "up"]
    assert move.old.pipes.out == 0
    move.new.adopt(parcel)
    for (_, reader), data in zip(ways, written, strict=True):
        assert read(move.new, reader, len(data)) == data
    assert move.passes(client, peer, b"question")
    assert move.passes(peer, client, b"answer")


# One side has finished


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_session_of_which_one_side_has_finished_goes_on_in_the_other_direction(stack: ExitStack, who: str) -> None:
    move = Move(stack)
    client, peer = move.session()
    done, other = (client, peer) if who == "client" else (peer, client)
    done.shutdown(socket.SHUT_WR)
    assert ended(move.old, other)
    move.move()
    assert [len(move.new.tcp.idle), len(move.new.tcp.half_close)] == [0, 1]
    for number in range(3):
        assert move.passes(other, done, b"more %d" % number)
    other.close()
    assert ended(move.new, done)
    assert move.new.ends == {"--": 1}


def test_an_end_that_waits_behind_bytes_is_passed_on_when_they_are_delivered(stack: ExitStack) -> None:
    move = Move(stack)
    client, peer = move.session()
    data = stuff(move.old, client)
    client.shutdown(socket.SHUT_WR)
    for _ in range(5):
        move.old.loop.turn()
    move.move()
    assert read(move.new, peer, len(data) + 1) == data
    assert move.passes(peer, client, b"answer")
    peer.close()
    assert ended(move.new, client)


def test_without_half_close_what_waits_is_delivered_and_the_session_ends(stack: ExitStack) -> None:
    move = Move(stack, {"half_close": False})
    client, peer = move.session()
    data = stuff(move.old, client)
    peer.shutdown(socket.SHUT_WR)
    assert ended(move.old, client)
    move.move()
    received = read(move.new, peer, len(data) + 1)
    assert len(received) > 0
    assert received == data[: len(received)]
    move.new.turn_until("it is over", lambda: move.new.ends)
    assert move.new.ends == {"--": 1}


# One side has failed


def test_the_answer_of_a_server_that_has_reset_is_still_delivered_and_then_the_reset(stack: ExitStack) -> None:
    move = Move(stack)
    client, peer = move.session()
    written = stuff(move.old, peer)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()
    move.old.turn_until("the reset was heard", lambda: len(move.old.tcp.half_close) == 1)
    move.move()
    received = read_until_reset(move.new, client)
    assert len(received) > 1 << 16
    assert received == written[: len(received)]
    assert (move.old.ends, move.new.ends) == ({}, {"SD": 1})


def test_what_a_client_has_sent_that_was_reset_reaches_the_server_and_then_the_reset(stack: ExitStack) -> None:
    move = Move(stack)
    client, peer = move.session()
    written = stuff(move.old, client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()
    move.old.turn_until("the reset was heard", lambda: len(move.old.tcp.half_close) == 1)
    move.move()
    received = read_until_reset(move.new, peer)
    assert len(received) > 1 << 16
    assert received == written[: len(received)]
    assert move.new.ends == {"CD": 1}


# A farewell


def farewell(move: Move) -> tuple[socket.socket, bytes]:
    """A server has sent more than the client has read, and has reset: the client, and what it is to get."""
    client, peer = move.session()
    (relay,) = move.old.tcp.idle
    sock = relay._client  # type: ignore[attr-defined]
    data = bytearray()
    while not unacknowledged(sock):  # so all that the client's side holds is full, and nothing waits in l4d
        piece = bytes([len(data) >> 16 & 0xFF]) * (1 << 16)
        peer.sendall(piece)
        data += piece
        move.wait_for_bytes(len(data))
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()
    move.old.turn_until("the farewell is said", lambda: len(move.old.tcp.leaving[0]) == 1)
    return client, bytes(data)


def test_a_farewell_goes_on_until_the_client_has_everything_and_then_it_is_reset(stack: ExitStack) -> None:
    move = Move(stack)
    client, data = farewell(move)
    move.move()
    assert [house.tcp.service.capacity.sessions for house in (move.old, move.new)] == [0, 1]
    assert read_until_reset(move.new, client) == data
    assert (move.old.ends, move.new.ends) == ({}, {"SD": 1})


def test_a_farewell_is_given_up_when_it_would_have_been(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, {"half_close_timeout": 100.0})
    farewell(move)
    clock.now += 60
    move.move()
    clock.now += 39
    move.new.loop.turn()
    assert move.new.ends == {}
    clock.now += 2
    move.new.loop.turn()
    assert move.new.ends == {"SD": 1}


# Deadlines


def test_the_wait_for_the_next_byte_goes_on_from_when_it_began(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, {"idle_timeout": 100.0})
    client, _peer = move.session()
    clock.now += 60
    move.old.loop.turn()
    move.move()
    clock.now += 39
    move.new.loop.turn()
    assert move.new.ends == {}
    clock.now += 1 + move.new.tcp.grain
    move.new.loop.turn()
    assert move.new.ends == {"cD": 1}
    assert client.recv(1) == b""


def test_a_byte_after_the_move_begins_the_wait_anew(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, {"idle_timeout": 100.0})
    client, peer = move.session()
    clock.now += 60
    move.move()
    clock.now += 30
    assert move.passes(client, peer, b"question")
    clock.now += 99
    move.new.loop.turn()
    assert move.new.ends == {}


def test_the_wait_for_the_last_data_goes_on_from_when_it_began(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, {"half_close_timeout": 100.0})
    client, peer = move.session()
    client.shutdown(socket.SHUT_WR)
    assert ended(move.old, peer)
    clock.now += 60
    move.move()
    clock.now += 39
    move.new.loop.turn()
    assert move.new.ends == {}
    clock.now += 1 + move.new.tcp.grain
    move.new.loop.turn()
    assert move.new.ends == {"sL": 1}


def test_the_longest_life_counts_from_the_beginning_with_the_jitter_that_was_given(
    stack: ExitStack, clock: Clock
) -> None:
    """A session that stays has the same step: its end comes at the same time."""
    move = Move(stack, {"max_session_time": 1000.0, "idle_timeout": 5000.0})
    move.session()
    step = move.old.tcp.lifetime.step_of(next(iter(move.old.tcp.idle)))
    clock.now += 500
    move.old.loop.turn()
    stage = move.move()
    assert move.new.tcp.lifetime.step_of(stage) == step  # type: ignore[arg-type]
    clock.now += 500 - 12.5 * step - 1
    move.new.loop.turn()
    assert move.new.ends == {}
    clock.now += 1
    move.new.loop.turn()
    assert move.new.ends == {"TD": 1}


# An early close


def test_a_server_that_closes_early_after_the_move_is_not_the_last_one(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, early_close=5.0)
    client, peer = move.session()
    clock.now += 3
    move.move()
    clock.now += 1
    peer.close()
    assert move.new.is_served(client, move.new.two)
    assert not is_readable(move.new.one), "the one that closed is not dialled again"
    assert move.new.ends == {}
    assert [server.load() for server in move.new.pool.servers] == [0, 1]


def test_the_time_for_an_early_close_is_measured_from_the_dial(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, early_close=5.0)
    client, peer = move.session()
    clock.now += 3
    move.move()
    clock.now += 2
    move.new.loop.turn()
    peer.close()
    assert ended(move.new, client)
    assert not is_readable(move.new.two)


def test_one_that_was_not_looked_for_any_more_is_no_early_close_there(stack: ExitStack, clock: Clock) -> None:
    move = Move(stack, early_close=5.0)
    client, peer = move.session()
    clock.now += 6
    move.old.loop.turn()
    move.move()
    peer.close()
    assert ended(move.new, client)
    assert not is_readable(move.new.two)


# The queue


class Queue(Move):
    """Both servers have the one session they may have; these clients wait."""

    def __init__(self, stack: ExitStack, clock: Clock, waiting: int) -> None:
        super().__init__(stack, most=1, queue=10, queue_timeout=60.0)
        self.served = [self.old.client() for _ in range(2)]
        self.peers = [self.old.accept(server) for server in (self.old.one, self.old.two)]
        self.clients = []
        for _ in range(waiting):
            self.clients.append(self.old.client())
            clock.now += 1
            self.old.loop.turn()

    def make_room(self, number: int) -> None:
        before = sum(self.old.ends.values())
        self.served[number].close()
        self.peers[number].close()
        self.old.turn_until("the session is over", lambda: sum(self.old.ends.values()) > before)
        self.new.hear_of_gaps()


def test_those_who_wait_keep_their_order_whatever_order_they_come_in(stack: ExitStack, clock: Clock) -> None:
    queue = Queue(stack, clock, 3)
    for stage in reversed(list(queue.old.tcp.queued)):
        queue.new.take_over(queue.old, stage)
    assert (len(queue.old.tcp.queued), len(queue.new.tcp.queued), queue.new.waiting) == (0, 3, 3)
    queue.make_room(0)
    assert queue.new.is_served(queue.clients[0], queue.new.one)
    queue.make_room(1)
    assert queue.new.is_served(queue.clients[1], queue.new.two)
    assert queue.new.waiting == 1


def test_those_who_wait_there_already_go_behind_those_who_came_before(stack: ExitStack, clock: Clock) -> None:
    queue = Queue(stack, clock, 1)
    queue.new.loop.turn()
    later = queue.new.client()
    clock.now += 1
    (stage,) = queue.old.tcp.queued
    queue.new.take_over(queue.old, stage)
    queue.make_room(0)
    assert queue.new.is_served(queue.clients[0], queue.new.one)
    queue.make_room(1)
    assert queue.new.is_served(later, queue.new.two)


def test_the_longest_wait_counts_from_its_beginning(stack: ExitStack, clock: Clock) -> None:
    queue = Queue(stack, clock, 1)  # a second ago
    clock.now += 39
    (stage,) = queue.old.tcp.queued
    queue.new.take_over(queue.old, stage)
    clock.now += 19
    queue.new.loop.turn()
    assert queue.new.ends == {}
    clock.now += 2
    queue.new.loop.turn()
    assert queue.new.ends == {"sQ": 1}
    assert queue.new.waiting == 0
    assert queue.clients[0].recv(1) == b""


def test_a_client_that_left_while_it_was_on_its_way_waits_no_more(stack: ExitStack, clock: Clock) -> None:
    queue = Queue(stack, clock, 1)
    queue.clients[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    queue.clients[0].close()
    (stage,) = queue.old.tcp.queued
    queue.new.take_over(queue.old, stage)
    queue.new.turn_until("it is over", lambda: queue.new.ends)
    assert (queue.new.ends, queue.new.waiting) == ({"CQ": 1}, 0)


def test_room_that_was_made_while_it_was_on_its_way_is_not_missed(stack: ExitStack, clock: Clock) -> None:
    queue = Queue(stack, clock, 1)
    (stage,) = queue.old.tcp.queued
    parcel = stage.hand_over()
    queue.make_room(0)
    queue.new.adopt(parcel)
    assert queue.new.is_served(queue.clients[0], queue.new.one)


def test_those_who_wait_stay_unless_they_are_wanted(stack: ExitStack, clock: Clock) -> None:
    queue = Queue(stack, clock, 2)
    assert len(list(transfer.movable(queue.old.tcp, queued=True))) == 4
    assert len(list(transfer.movable(queue.old.tcp, queued=False))) == 2


def test_a_dial_stays_where_it_is(stack: ExitStack) -> None:
    move = Move(stack)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with ExitStack() as filling:
            for _ in range(3):
                sock = filling.enter_context(socket.socket())
                sock.setblocking(False)
                sock.connect_ex(full.getsockname())
            for server in move.old.pool.servers:
                server.address = type(server.address)(*full.getsockname())
            move.old.client()
            move.old.loop.turn()
            assert len(move.old.tcp.connect) == 1
            assert move.all == []


# What is no session


def record(**changes: Any) -> Record:
    return Record(**{"kind": Kind.RELAY.value, "families": [2, 2], "server": ["db", "one", ""], **changes})


@pytest.mark.parametrize(
    ("told", "sockets", "served"),
    [
        (record(kind="of the next version"), 2, True),
        (record(kind=Kind.FLOW.value), 2, True),
        (record(), 1, True),
        (record(), 3, True),
        (record(), 2, False),
        (record(end="??"), 2, True),
        (record(kind=Kind.QUEUED.value), 2, True),
        (record(kind=Kind.QUEUED.value), 0, True),
        (record(kind=Kind.FAREWELL.value, end="SD"), 2, True),
        (record(kind=Kind.FAREWELL.value, end=""), 1, True),
        (record(kind=Kind.FAREWELL.value, end="??"), 1, True),
    ],
)
def test_what_is_no_session_is_refused_and_nothing_is_counted(
    stack: ExitStack, told: Record, sockets: int, served: bool
) -> None:
    house = House(stack)
    pairs = [socket.socketpair() for _ in range(sockets)]
    for one, other in pairs:
        stack.enter_context(one)
        stack.enter_context(other)
    server = house.pool.servers[0] if served else None
    with pytest.raises(RecordError):
        transfer.adopt(house.tcp, Parcel(told, [one for one, _ in pairs], 2), server, lambda _words: None)
    assert house.total(catalogue.SESSIONS) == house.total(catalogue.SERVER_SESSIONS) == house.waiting == 0
    assert house.tcp.service.capacity.sessions == 0
    assert list(transfer.movable(house.tcp, queued=True)) == []


def test_marks_that_do_not_go_together_end_the_session_and_nothing_else(stack: ExitStack) -> None:
    """As only a faulty worker could write them."""
    house = House(stack)
    pairs = [socket.socketpair() for _ in range(2)]
    for one, other in pairs:
        stack.enter_context(one)
        stack.enter_context(other)
    way = Way(ended=True, cut=True, hung_up=True, fin_passed=True, source_error=104, target_error=32)
    told = record(up=way, down=way, end="SD", families=[1, 1])
    transfer.adopt(house.tcp, Parcel(told, [one for one, _ in pairs], 2), house.pool.servers[0], lambda _words: None)
    for _ in range(3):
        house.loop.turn()
    assert house.total(catalogue.SESSIONS) + sum(house.ends.values()) == 1
