"""Messages between two processes: whole, with their descriptors, and heard though their sender is gone."""

import os
import socket
from collections.abc import Iterator

import pytest

from l4d.linux import messages
from l4d.linux.messages import MOST_DESCRIPTORS
from tests.kit.processes import own_descriptors
from tests.kit.starved import starved

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    before = own_descriptors()
    ours, theirs = messages.pair()
    with ours, theirs:
        yield ours, theirs
    assert own_descriptors() == before


def heard(sock: socket.socket) -> bytes:
    """The next message; there is one."""
    received = messages.receive(sock, 100)
    assert received is not None
    return received.data


def test_a_message_is_received_whole_and_nobody_waits_for_one(pair: Pair) -> None:
    ours, theirs = pair
    messages.send(ours, b"one")
    messages.send(ours, b"two")
    assert [heard(theirs), heard(theirs)] == [b"one", b"two"]
    assert messages.receive(theirs, 100) is None


def test_what_one_has_said_is_heard_though_it_left_something_unread_when_it_died(pair: Pair) -> None:
    ours, theirs = pair
    messages.send(theirs, b"answer")
    messages.send(ours, b"another question")
    theirs.close()
    assert [heard(ours), heard(ours), heard(ours)] == [b"answer", b"", b""]


def test_as_many_descriptors_as_the_kernel_takes_come_with_one_message(pair: Pair) -> None:
    ours, theirs = pair
    messages.send(ours, b"many", [0] * MOST_DESCRIPTORS)
    received = messages.receive(theirs, 100)
    assert received is not None
    assert (len(received.descriptors), received.flags & socket.MSG_CTRUNC) == (MOST_DESCRIPTORS, 0)
    assert not any(os.get_inheritable(fd) for fd in received.descriptors)
    for fd in received.descriptors:
        os.close(fd)


def test_what_was_lost_of_a_message_is_told(pair: Pair) -> None:
    ours, theirs = pair
    messages.send(ours, b"long", [0])
    with starved():
        received = messages.receive(theirs, 2)
    assert received is not None
    assert (received.data, received.descriptors) == (b"lo", [])
    assert received.flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) == socket.MSG_TRUNC | socket.MSG_CTRUNC


def test_sending_raises_and_never_waits(pair: Pair) -> None:
    ours, theirs = pair
    with pytest.raises(BlockingIOError):
        for _ in range(100_000):
            messages.send(ours, b"word")
    theirs.close()
    with pytest.raises(ConnectionError):
        messages.send(ours, b"word")
