"""Splicing through a pipe in the kernel: who holds which pipe. What every mover promises is in tests/contract."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from l4d.linux.pipes import Pipes
from l4d.movers.splice import NoPipeError, SpliceMover
from tests.kit.processes import descriptors

Ends = tuple[socket.socket, SpliceMover, socket.socket]
SIZE = 64 << 10


class Pool(Pipes):
    """Keeps no idle pipe, so that every pipe that exists is held by somebody."""

    KEPT = 0


@pytest.fixture
def pipes() -> Pool:
    return Pool(1, SIZE)


@pytest.fixture
def ends(pipes: Pool) -> Iterator[Ends]:
    with ExitStack() as stack:
        writer, source = (stack.enter_context(sock) for sock in socket.socketpair())
        target, reader = (stack.enter_context(sock) for sock in socket.socketpair())
        mover = SpliceMover(source, target, pipes)
        yield writer, mover, reader
        mover.leave()


def stuff(ends: Ends) -> None:
    """Move until the target takes no more."""
    writer, mover, _ = ends
    while not mover.pending:
        writer.send(bytes(10_000))
        mover.move()


def test_a_pipe_is_held_only_while_bytes_are_in_it(ends: Ends, pipes: Pool) -> None:
    _, mover, reader = ends
    before = descriptors(os.getpid())
    assert pipes.out == 0
    stuff(ends)
    assert pipes.out == 1
    while mover.pending:
        reader.recv(1 << 20)
        mover.drain()
    assert pipes.out == 0
    assert descriptors(os.getpid()) == before


def test_a_source_that_has_nothing_costs_no_pipe(ends: Ends, pipes: Pool) -> None:
    writer, mover, _ = ends
    with pytest.raises(BlockingIOError):
        mover.move()
    assert pipes.out == 0
    writer.close()
    assert mover.move() == 0
    assert pipes.out == 0


def test_without_a_pipe_nothing_is_taken_from_the_source(ends: Ends, pipes: Pool) -> None:
    writer, mover, reader = ends
    writer.send(b"question")
    others = pipes.take()
    assert others is not None
    with pytest.raises(NoPipeError):
        mover.move()
    assert mover.pending == 0
    pipes.give_back(others, empty=True)
    assert mover.move() == 8
    assert reader.recv(100) == b"question"


def test_a_blocked_session_keeps_its_pipe_until_it_leaves(ends: Ends, pipes: Pool) -> None:
    before = descriptors(os.getpid())
    stuff(ends)
    _, mover, _ = ends
    assert mover.drain() == 0
    assert pipes.out == 1
    mover.leave()
    assert pipes.out == 0
    assert mover.pending == 0
    assert descriptors(os.getpid()) == before


def test_bytes_that_were_lost_with_a_session_never_reach_another(ends: Ends, pipes: Pool) -> None:
    stuff(ends)
    _, mover, _ = ends
    mover.leave()
    following = pipes.take()
    assert following is not None
    with pytest.raises(BlockingIOError):
        os.read(following.reader, 1)
    pipes.give_back(following, empty=True)


def test_sockets_that_would_wait_are_made_not_to(ends: Ends) -> None:
    with socket.socket() as source, socket.socket() as target:
        SpliceMover(source, target, Pipes(1, SIZE))
        assert not source.getblocking()
        assert not target.getblocking()
