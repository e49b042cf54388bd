"""One direction of a session: which mover carries it, whose fault a failure is, and when it is over."""

import errno
import json
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace

import pytest

from l4d.handover.record import Way
from l4d.linux.pipes import Pipe, Pipes
from l4d.movers.copy import BUFFER_SIZE, make_buffer
from l4d.movers.machinery import Machinery
from l4d.stats.board import Board
from l4d.tcp.channel import BULK_READS, ROUNDS, SMALL_READS, Channel
from l4d.terms import Relay
from tests.kit.wait import TIMEOUT


class CountedPipes(Pipes):
    """Counts how often one was asked for: whoever asks is splicing."""

    KEPT = 0

    def __init__(self, most: int) -> None:
        super().__init__(most, 4 * BUFFER_SIZE)
        self.asked = 0

    def take(self) -> Pipe | None:
        self.asked += 1
        return super().take()


class House:
    """A channel between two socket pairs: what is written goes in, what is read came out."""

    def __init__(self, stack: ExitStack, policy: Relay, pipes: int = 4) -> None:
        self.writer, source = (stack.enter_context(sock) for sock in socket.socketpair())
        target, self.reader = (stack.enter_context(sock) for sock in socket.socketpair())
        for sock in (self.writer, source, target, self.reader):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        for sock in (self.writer, self.reader):
            sock.settimeout(TIMEOUT)
        self.pipes = CountedPipes(pipes)
        self.row = Board(rows=2, columns=8).row(1)
        machinery = Machinery(make_buffer(), self.pipes)
        self.channel = Channel(source, target, machinery, policy, self.row, (3, 4))
        stack.callback(self.channel.leave)

    def pass_through(self, size: int) -> None:
        """So many bytes are written at once, moved, and read."""
        self.writer.sendall(bytes(size))
        before = self.channel.moved
        while self.channel.moved < before + size:
            self.channel.pump()
        left = size
        while left:
            left -= len(self.reader.recv(left))

    @property
    def splices(self) -> bool:
        """Whether the next bytes are spliced."""
        before = self.pipes.asked
        self.pass_through(1)
        return self.pipes.asked > before


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_an_ordinary_read_is_passed_on_and_counted(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    house.writer.send(b"question")
    assert house.channel.pass_on()
    assert house.reader.recv(100) == b"question"
    assert house.channel.moved == house.row[3] == house.row[4] == 8
    assert not house.channel.blocked


def test_small_messages_are_copied(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    for _ in range(10 * BULK_READS):
        house.pass_through(1000)
    assert house.pipes.asked == 0


def test_bulk_is_spliced_and_what_has_become_small_is_copied_again(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    house.pass_through(BULK_READS * BUFFER_SIZE)
    assert house.splices
    for _ in range(SMALL_READS):
        house.pass_through(1)
    assert not house.splices


def test_a_read_now_and_then_that_fills_the_buffer_is_no_bulk(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    for _ in range(5 * BULK_READS):
        house.pass_through(BUFFER_SIZE)
        house.pass_through(1)
    assert house.pipes.asked == 0


@pytest.mark.parametrize(("policy", "spliced"), [(Relay.COPY, False), (Relay.SPLICE, True)])
def test_the_operators_word_holds_whatever_passes(stack: ExitStack, policy: Relay, spliced: bool) -> None:
    house = House(stack, policy)
    assert house.splices is spliced
    house.pass_through(BULK_READS * BUFFER_SIZE)
    assert house.splices is spliced
    for _ in range(2 * SMALL_READS):
        house.pass_through(1)
    assert house.splices is spliced


@pytest.mark.parametrize("policy", [Relay.AUTO, Relay.SPLICE])
def test_without_a_pipe_to_be_had_bytes_are_copied(stack: ExitStack, policy: Relay) -> None:
    house = House(stack, policy, pipes=0)
    for _ in range(5):
        house.pass_through(BULK_READS * BUFFER_SIZE)
    assert house.channel.source_error is house.channel.target_error is None
    assert house.pipes.asked > 0


@pytest.mark.parametrize("policy", Relay)
def test_a_channel_is_closed_when_its_source_is_over_and_all_is_delivered(stack: ExitStack, policy: Relay) -> None:
    house = House(stack, policy)
    house.channel.target.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    house.writer.sendall(bytes(100_000))
    house.writer.shutdown(socket.SHUT_WR)
    received = 0
    while received < 100_000:
        assert not house.channel.closed
        house.channel.pump()
        received += len(house.reader.recv(1 << 20))
    while not house.channel.ended:
        house.channel.pump()
    assert house.channel.closed
    assert not house.channel.cut
    assert house.channel.moved == 100_000


def test_one_event_moves_no_more_than_its_rounds_and_the_next_one_goes_on(stack: ExitStack) -> None:
    house = House(stack, Relay.COPY)
    house.writer.sendall(bytes(ROUNDS * BUFFER_SIZE + 1000))
    house.channel.pump()
    assert house.channel.moved == ROUNDS * BUFFER_SIZE
    house.channel.pump()
    assert house.channel.moved == ROUNDS * BUFFER_SIZE + 1000


@pytest.mark.parametrize("policy", Relay)
def test_a_target_that_is_gone_is_blamed_and_what_waited_for_it_is_lost(stack: ExitStack, policy: Relay) -> None:
    house = House(stack, policy)
    house.reader.close()
    house.writer.send(b"question")
    assert not house.channel.pass_on()
    assert house.channel.target_error is not None
    assert house.channel.source_error is None
    assert house.channel.closed
    assert house.pipes.out == 0
    assert house.channel.moved == 0


@pytest.mark.parametrize("policy", Relay)
def test_a_source_that_is_gone_is_blamed_and_nothing_more_will_come(stack: ExitStack, policy: Relay) -> None:
    house = House(stack, policy)
    house.channel.source.send(b"unread")
    house.writer.close()
    assert not house.channel.pass_on()
    assert isinstance(house.channel.source_error, ConnectionResetError)
    assert house.channel.target_error is None
    assert house.channel.ended
    assert house.channel.closed


def test_a_target_that_goes_while_bytes_wait_for_it_is_blamed(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    house.channel.target.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    house.writer.sendall(bytes(100_000))
    house.channel.pump()
    assert house.channel.blocked
    house.reader.close()
    house.channel.pump()
    assert house.channel.target_error is not None
    assert house.channel.closed
    assert not house.channel.blocked


def test_a_channel_that_stops_reading_is_cut_unless_it_had_ended(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    house.channel.stop_reading()
    assert house.channel.cut
    assert house.channel.closed
    other = House(stack, Relay.AUTO)
    other.writer.close()
    other.channel.pump()
    other.channel.stop_reading()
    assert not other.channel.cut


def test_small_messages_are_not_bulk_for_long_even_where_splicing_is_an_order() -> None:
    with ExitStack() as stack:
        house = House(stack, Relay.SPLICE)
        house.pass_through(4 * BUFFER_SIZE)
        assert house.channel.bulk
        for _ in range(SMALL_READS + 1):
            house.pass_through(64)
        assert not house.channel.bulk


# From one worker to another


def moved_from(house: House, policy: Relay = Relay.AUTO) -> Way:
    """The house's channel goes on as another worker's: what was told of it."""
    way, held = house.channel.hand_over()
    assert house.pipes.out == 0
    assert len(held) == way.pending
    here = house.channel
    machinery = Machinery(make_buffer(), house.pipes)
    house.channel = Channel(here.source, here.target, machinery, policy, house.row, (3, 4))
    house.channel.resume(replace(Way(), **json.loads(json.dumps(asdict(way)))), held)
    return way


def received(house: House, size: int) -> bytes:
    """So many bytes, delivered and read by turns."""
    data = b""
    house.reader.setblocking(False)
    while len(data) < size:
        house.channel.pump()
        try:
            data += house.reader.recv(1 << 20)
        except BlockingIOError:
            continue
    return data


@pytest.mark.parametrize("policy", Relay)
def test_a_channel_that_is_at_rest_goes_on_where_it_was(stack: ExitStack, policy: Relay) -> None:
    house = House(stack, policy)
    house.pass_through(1000)
    assert moved_from(house, policy) == Way(moved=1000)
    house.pass_through(500)
    assert house.channel.moved == 1500
    assert house.row[3] == house.row[4] == 1500, "each byte is counted once"


@pytest.mark.parametrize("policy", Relay)
def test_bytes_that_wait_for_the_target_go_along_before_those_that_come_later(stack: ExitStack, policy: Relay) -> None:
    house = House(stack, policy)
    house.channel.target.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    data = random.Random(1).randbytes(100_000)
    house.writer.sendall(data[:90_000])
    house.channel.pump()
    assert house.channel.blocked
    way = moved_from(house, policy)
    assert 0 < way.pending <= 90_000 - way.moved
    assert house.channel.blocked
    house.writer.sendall(data[90_000:])
    assert received(house, len(data)) == data
    assert house.channel.moved == house.row[3] == len(data)


def test_more_than_a_copy_holds_may_come_out_of_a_pipe(stack: ExitStack) -> None:
    house = House(stack, Relay.SPLICE)
    house.channel.target.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    data = random.Random(2).randbytes(3 * BUFFER_SIZE)
    house.writer.sendall(data)
    house.channel.pump()
    assert moved_from(house, Relay.SPLICE).pending > BUFFER_SIZE
    assert received(house, len(data)) == data


def test_bulk_that_was_spliced_is_spliced_again_when_it_shows_itself_as_bulk(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    house.pass_through(BULK_READS * BUFFER_SIZE)
    moved_from(house)
    assert not house.splices
    house.pass_through(BULK_READS * BUFFER_SIZE)
    assert house.splices


def test_an_end_that_was_seen_is_not_waited_for_again_and_comes_behind_what_waits(stack: ExitStack) -> None:
    house = House(stack, Relay.COPY)
    house.channel.target.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    house.writer.sendall(bytes(50_000))
    house.writer.shutdown(socket.SHUT_WR)
    house.channel.pump(to_end=True)
    house.channel.stop_reading()
    way = moved_from(house)
    assert (way.ended, house.channel.closed) == (True, False)
    received(house, 50_000)
    assert house.channel.closed


@pytest.mark.parametrize("mark", ["ended", "cut", "hung_up", "fin_passed"])
def test_each_mark_goes_along(stack: ExitStack, mark: str) -> None:
    house = House(stack, Relay.AUTO)
    assert not getattr(house.channel, mark)
    setattr(house.channel, mark, True)
    moved_from(house)
    assert getattr(house.channel, mark)


def test_failures_go_along_with_whose_they_were(stack: ExitStack) -> None:
    house = House(stack, Relay.AUTO)
    house.channel.source_error = ConnectionResetError(errno.ECONNRESET, "reset")
    house.channel.target_error = BrokenPipeError(errno.EPIPE, "gone")
    moved_from(house)
    assert isinstance(house.channel.source_error, ConnectionResetError)
    assert isinstance(house.channel.target_error, BrokenPipeError)
    assert house.channel.closed
