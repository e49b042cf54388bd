"""What every mover promises, whichever way the bytes cross: one set of tests for all of them.

Each stands between two connections, over unix socket pairs and over TCP:

    writer ==== source [mover] target ==== reader
"""

import errno
import random
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4d.linux.pipes import Pipes
from l4d.movers.copy import CopyMover, make_buffer
from l4d.movers.machinery import Machinery
from l4d.movers.mover import Mover
from l4d.movers.splice import SpliceMover
from tests.kit.wait import TIMEOUT, is_readable, wait_until

MakeMover = Callable[[socket.socket, socket.socket, Machinery], Mover]
Connection = tuple[socket.socket, socket.socket]

MOVERS: dict[str, MakeMover] = {
    "copy": lambda source, target, machinery: CopyMover(source, target, machinery.buffer),
    "splice": lambda source, target, machinery: SpliceMover(source, target, machinery.pipes),
}


class Pool(Pipes):
    """Keeps no idle pipe: nothing is left of it when nobody holds one."""

    KEPT = 0


def tcp_connection() -> Connection:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    return one, other


CONNECTIONS: dict[str, Callable[[], Connection]] = {"unix": socket.socketpair, "tcp": tcp_connection}


class Way:
    """One mover between two connections, and what the tests do at its ends."""

    def __init__(self, make: MakeMover, connect: Callable[[], Connection], machinery: Machinery) -> None:
        self.writer, self.source = connect()
        self.target, self.reader = connect()
        self.pipes = machinery.pipes
        self.mover = make(self.source, self.target, machinery)
        for sock in (self.writer, self.reader):
            sock.settimeout(TIMEOUT)

    def __enter__(self) -> "Way":  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.mover.leave()
        for sock in (self.writer, self.source, self.target, self.reader):
            sock.close()

    def write(self, data: bytes) -> None:
        """What was written can be read at the source."""
        self.writer.sendall(data)
        wait_until("the source has it", lambda: is_readable(self.source))

    def move(self) -> int:
        """As the mover does, once the source has something or is over."""
        wait_until("the source has something", lambda: is_readable(self.source))
        return self.mover.move()

    def read(self, size: int) -> bytes:
        """Exactly so many bytes, or fewer if no more will come; the mover goes on delivering meanwhile."""
        received = bytearray()
        while len(received) < size:
            if self.mover.pending:
                self.mover.drain()
            if is_readable(self.reader) or not self.mover.pending:
                data = self.reader.recv(size - len(received))
                if not data:
                    break
                received += data
        return bytes(received)

    def stuff(self) -> bytes:
        """Move until the target takes no more: everything that went in, delivered or pending."""
        chance = random.Random(1)
        written = b""
        while not self.mover.pending:
            data = chance.randbytes(40_000)
            self.write(data)
            written += data
            left = len(data)
            while left and not self.mover.pending:
                left -= self.move()
        return written

    def reset_by_writer(self) -> None:
        """The source's peer is gone without a word of farewell."""
        if self.writer.family == socket.AF_UNIX:
            self.source.send(b"unread")
        else:
            self.writer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.close()

    def reset_by_reader(self) -> None:
        """The target's peer is gone, and the target has heard of it."""
        if self.reader.family != socket.AF_UNIX:
            self.reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.reader.close()
        wait_until("the target has heard of it", lambda: is_readable(self.target))


@pytest.fixture(params=MOVERS)
def make(request: pytest.FixtureRequest) -> MakeMover:
    return MOVERS[request.param]


@pytest.fixture(params=CONNECTIONS)
def connect(request: pytest.FixtureRequest) -> Callable[[], Connection]:
    return CONNECTIONS[request.param]


@pytest.fixture
def machinery() -> Machinery:
    return Machinery(make_buffer(), Pool(4, 64 << 10))


@pytest.fixture
def way(make: MakeMover, connect: Callable[[], Connection], machinery: Machinery) -> Iterator[Way]:
    with Way(make, connect, machinery) as way:
        yield way
    assert way.pipes.out == 0


def test_what_the_source_has_the_target_gets(way: Way) -> None:
    way.write(b"question")
    assert way.move() == 8
    assert way.mover.pending == 0
    assert way.read(8) == b"question"


def test_every_byte_arrives_in_its_place(way: Way) -> None:
    data = random.Random(2).randbytes(1_000_000)
    received = b""
    for start in range(0, len(data), 50_000):
        way.write(data[start : start + 50_000])
        left = 50_000
        while left:
            left -= (taken := way.move())
            received += way.read(taken)
    assert received == data


def test_one_move_takes_no_more_than_its_room(way: Way) -> None:
    for sock in (way.writer, way.source):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    way.writer.setblocking(False)
    while True:
        try:
            way.writer.send(bytes(16_384))
        except BlockingIOError:
            break
    assert 0 < way.move() <= way.mover.room


def test_a_source_that_has_nothing_says_so_and_may_be_asked_again(way: Way) -> None:
    for _ in range(2):
        with pytest.raises(BlockingIOError):
            way.mover.move()
        assert way.mover.pending == 0
    way.write(b"at last")
    assert way.move() == 7
    assert way.read(7) == b"at last"


def test_the_end_of_the_source_is_a_move_of_nothing_however_often(way: Way) -> None:
    way.write(b"last words")
    way.writer.shutdown(socket.SHUT_WR)
    assert way.move() == 10
    for _ in range(2):
        assert way.move() == 0
        assert way.mover.pending == 0
    assert way.read(10) == b"last words"


def test_a_source_that_is_over_may_still_be_written_to(way: Way) -> None:
    way.writer.shutdown(socket.SHUT_WR)
    assert way.move() == 0
    way.source.send(b"answer")
    assert way.writer.recv(100) == b"answer"


def test_a_full_target_takes_less_than_all_and_nobody_waits(way: Way) -> None:
    written = way.stuff()
    before = way.mover.pending
    assert before > 0
    assert way.mover.drain() == 0
    assert way.mover.pending == before
    assert way.read(len(written)) == written
    assert way.mover.pending == 0


def test_what_waits_for_a_slow_reader_is_untouched_by_other_movers(
    way: Way, make: MakeMover, connect: Callable[[], Connection], machinery: Machinery
) -> None:
    written = way.stuff()
    with Way(make, connect, machinery) as other:
        for _ in range(20):
            other.write(b"?" * 40_000)
            left = 40_000
            while left:
                left -= (taken := other.move())
                assert other.read(taken) == b"?" * taken
    assert way.read(len(written)) == written


def test_a_source_that_failed_is_blamed_with_nothing_pending(way: Way) -> None:
    way.reset_by_writer()
    with pytest.raises(ConnectionResetError):
        way.move()
    assert way.mover.pending == 0


def test_a_source_that_failed_after_good_moves_is_blamed_with_nothing_pending(way: Way) -> None:
    way.write(b"question")
    way.move()
    way.reset_by_writer()
    with pytest.raises(ConnectionResetError):
        way.move()
    assert way.mover.pending == 0


def test_a_target_that_failed_is_blamed_with_what_it_did_not_take_pending(way: Way) -> None:
    way.reset_by_reader()
    way.write(b"question")
    with pytest.raises(OSError) as caught:
        way.move()
    assert caught.value.errno in {errno.EPIPE, errno.ECONNRESET}
    assert way.mover.pending == 8
    way.mover.leave()
    assert way.mover.pending == 0


def test_a_target_that_fails_while_bytes_wait_for_it_is_blamed_by_drain(way: Way) -> None:
    way.stuff()
    way.reset_by_reader()
    with pytest.raises(OSError) as caught:
        way.mover.drain()
    assert caught.value.errno in {errno.EPIPE, errno.ECONNRESET}
    assert way.mover.pending > 0


def test_a_failed_target_does_not_hide_a_silent_source(way: Way) -> None:
    way.reset_by_reader()
    with pytest.raises(BlockingIOError):
        way.mover.move()
    assert way.mover.pending == 0


def test_leaving_loses_what_is_pending_and_gives_everything_back(way: Way) -> None:
    way.stuff()
    way.mover.leave()
    assert way.mover.pending == 0
    assert way.pipes.out == 0
    way.mover.leave()


def test_one_that_has_left_may_begin_again_with_nothing_of_before(way: Way) -> None:
    written = way.stuff()
    lost = way.mover.pending
    way.mover.leave()
    assert way.read(len(written) - lost) == written[: len(written) - lost]
    way.write(b"found")
    assert way.move() == 5
    assert way.read(5) == b"found"


def test_what_is_released_is_what_was_pending_and_nothing_is_held_any_more(way: Way) -> None:
    written = way.stuff()
    pending = way.mover.pending
    held = way.mover.release()
    assert len(held) == pending
    assert (way.mover.pending, way.pipes.out) == (0, 0)
    assert way.read(len(written) - pending) + held == written


def test_one_that_holds_nothing_releases_nothing(way: Way) -> None:
    assert way.mover.release() == b""
    way.write(b"question")
    way.move()
    assert way.mover.release() == b""
    assert way.read(8) == b"question"


def test_what_is_released_after_a_part_was_taken_is_the_rest(way: Way) -> None:
    written = way.stuff()
    received = way.read(len(written) - way.mover.pending + 1)
    held = way.mover.release()
    assert received + way.read(len(written) - len(held) - len(received)) + held == written


def test_what_one_has_released_another_delivers_before_what_comes_next(way: Way, machinery: Machinery) -> None:
    """As in another worker: it has the same sockets, and begins by copying."""
    written = way.stuff()
    next_one = CopyMover(way.source, way.target, machinery.buffer)
    next_one.take_up(way.mover.release())
    assert next_one.pending > 0
    way.mover = next_one
    assert way.read(len(written)) == written
    way.write(b"question")
    assert way.move() == 8
    assert way.read(8) == b"question"


def test_one_that_has_released_may_go_on(way: Way) -> None:
    """The other side did not want it."""
    written = way.stuff()
    held = way.mover.release()
    assert way.read(len(written) - len(held)) + held == written
    way.write(b"question")
    assert way.move() == 8
    assert way.read(8) == b"question"


STEPS = st.lists(st.one_of(st.integers(1, 100_000), st.sampled_from(["move", "read some", "read all"])), max_size=30)


@pytest.mark.parametrize("connect", CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("make", MOVERS.values(), ids=MOVERS)
@settings(deadline=None, max_examples=25)
@given(steps=STEPS, seed=st.integers(0, 1 << 30))
def test_however_writing_moving_and_reading_alternate_nothing_is_lost_or_turned_around(
    make: MakeMover, connect: Callable[[], Connection], steps: list[int | str], seed: int
) -> None:
    chance = random.Random(seed)
    written, received = bytearray(), bytearray()
    with ExitStack() as stack:
        way = stack.enter_context(Way(make, connect, Machinery(make_buffer(), Pool(2, 64 << 10))))
        for sock in (way.writer, way.reader, way.target):
            sock.setblocking(False)
        for step in steps:
            if isinstance(step, int):
                written += written_now(way.writer, chance.randbytes(step))
            elif step == "move":
                moved(way.mover)
            else:
                received += read_now(way.reader, 1000 if step == "read some" else 1 << 20)
        way.writer.shutdown(socket.SHUT_WR)
        while len(received) < len(written):
            moved(way.mover)
            received += read_now(way.reader, 1 << 20)
        assert received == written
        assert way.mover.pending == 0
        assert way.move() == 0


def moved(mover: Mover) -> None:
    """What a turn of the loop does."""
    if mover.pending:
        mover.drain()
        return
    with suppress(BlockingIOError):
        mover.move()


def written_now(sock: socket.socket, data: bytes) -> bytes:
    try:
        return data[: sock.send(data)]
    except BlockingIOError:
        return b""


def read_now(sock: socket.socket, size: int) -> bytes:
    try:
        return sock.recv(size)
    except BlockingIOError:
        return b""
