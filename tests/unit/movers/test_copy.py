"""Copying through our own memory: who owns which bytes. What every mover promises is in tests/contract."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from l4d.movers.copy import BUFFER_SIZE, CopyMover, make_buffer

Ends = tuple[socket.socket, CopyMover, socket.socket]


def make(stack: ExitStack, buffer: memoryview) -> Ends:
    """Who writes, the mover, who reads."""
    writer, source = (stack.enter_context(sock) for sock in socket.socketpair())
    target, reader = (stack.enter_context(sock) for sock in socket.socketpair())
    return writer, CopyMover(source, target, buffer), reader


@pytest.fixture
def buffer() -> memoryview:
    return make_buffer()


@pytest.fixture
def ends(buffer: memoryview) -> Iterator[Ends]:
    with ExitStack() as stack:
        yield make(stack, buffer)


def stuff(ends: Ends, byte: bytes) -> int:
    """Move until the target takes no more: how many bytes it has taken."""
    writer, mover, _ = ends
    taken = 0
    while not mover.pending:
        writer.sendall(byte * 10_000)
        taken += mover.move() - mover.pending
    return taken


def test_the_buffer_of_a_process_is_as_large_as_one_move(buffer: memoryview) -> None:
    assert len(buffer) == BUFFER_SIZE == CopyMover.room


def test_an_idle_session_owns_no_memory(ends: Ends, buffer: memoryview) -> None:
    writer, mover, reader = ends
    writer.send(b"question")
    mover.move()
    assert reader.recv(100) == b"question"
    assert mover._kept is buffer


def test_what_a_slow_reader_has_not_taken_is_its_own_and_at_most_a_buffer(ends: Ends, buffer: memoryview) -> None:
    _, mover, _ = ends
    stuff(ends, b"x")
    assert mover._kept.obj is not buffer.obj
    assert mover._kept.nbytes == mover.pending <= BUFFER_SIZE


def test_all_sessions_of_a_process_copy_through_one_buffer(buffer: memoryview) -> None:
    """What waits for one session's slow reader is not overwritten by what passes for another."""
    with ExitStack() as stack:
        slow, fast = make(stack, buffer), make(stack, buffer)
        taken = stuff(slow, b"s")
        fast[0].send(b"f" * 10_000)
        fast[1].move()
        total = taken + slow[1].pending
        received = b""
        while len(received) < total:
            received += slow[2].recv(1 << 20)
            if slow[1].pending:
                slow[1].drain()
        assert received == b"s" * total


def test_a_rest_is_copied_once_however_often_the_target_takes_some(ends: Ends) -> None:
    _, mover, reader = ends
    stuff(ends, b"x")
    owned = mover._kept.obj
    while mover.pending:
        reader.recv(1000)
        mover.drain()
        assert not mover.pending or mover._kept.obj is owned


def test_leaving_gives_the_memory_back(ends: Ends, buffer: memoryview) -> None:
    _, mover, _ = ends
    stuff(ends, b"x")
    mover.leave()
    assert mover._kept is buffer
    assert mover.pending == 0
