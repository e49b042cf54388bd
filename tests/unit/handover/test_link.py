"""A link: messages in their order, with their descriptors, whatever becomes of the other end."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from l4d.child import channel
from l4d.handover import link as link_module
from l4d.handover.link import LONGEST, MOST_LISTENERS, Link, Message, check_version, portions
from l4d.handover.record import VERSION, RecordError
from l4d.linux.messages import MOST_DESCRIPTORS
from tests.kit.processes import own_descriptors
from tests.kit.starved import starved


class Ends:
    """A link with both its ends."""

    def __init__(self, stack: ExitStack) -> None:
        self.socks = channel.link_pair()
        self.giver, self.taker = (Link(sock) for sock in self.socks)
        stack.callback(self.giver.close)
        stack.callback(self.taker.close)

    def heard(self) -> Message:
        """What the taker hears; there is something."""
        message = self.taker.receive()
        assert message is not None
        return message

    def clog(self) -> int:
        """Send until one has to wait: how many were sent, that one included."""
        number = 0
        while not self.giver.clogged:
            self.giver.send({"number": number}, bytes(60_000))
            number += 1
        return number


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def ends(stack: ExitStack) -> Ends:
    return Ends(stack)


def test_messages_arrive_in_their_order_and_each_by_itself(ends: Ends) -> None:
    for number in range(5):
        ends.giver.send({"number": number})
    assert [ends.heard().head for _ in range(5)] == [{"number": number} for number in range(5)]
    assert ends.taker.receive() is None


def test_both_ends_may_speak(ends: Ends) -> None:
    ends.taker.send({"version": 1})
    message = ends.giver.receive()
    assert message is not None
    assert message.head == {"version": 1}


@pytest.mark.parametrize("body", [b"", b"datagram", b"\n", b"two\nlines\n", bytes(65_535)])
def test_the_bytes_behind_a_message_arrive_as_they_were(ends: Ends, body: bytes) -> None:
    ends.giver.send({"datagram": "a\nb"}, body)
    message = ends.heard()
    assert (message.head, message.body) == ({"datagram": "a\nb"}, body)


def test_descriptors_arrive_in_their_order_and_go_to_no_program_that_is_started(ends: Ends, stack: ExitStack) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    for one, other in pairs:
        stack.enter_context(one)
        stack.enter_context(other)
    ends.giver.send({"sessions": []}, b"", [one.fileno() for one, _ in pairs])
    message = ends.heard()
    assert message.whole
    assert not any(os.get_inheritable(fd) for fd in message.descriptors)
    for number, fd in enumerate(message.descriptors):
        os.write(fd, b"%d" % number)
        os.close(fd)
    assert [other.recv(10) for _, other in pairs] == [b"0", b"1", b"2"]


def test_as_many_descriptors_as_the_kernel_takes_go_with_one_message(ends: Ends) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    ends.giver.send({}, b"", [null] * MOST_DESCRIPTORS)
    message = ends.heard()
    assert (len(message.descriptors), message.whole) == (MOST_DESCRIPTORS, True)
    for fd in (null, *message.descriptors):
        os.close(fd)


def test_what_else_the_kernel_tells_of_a_message_is_passed_over(ends: Ends) -> None:
    ends.socks[1].setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    ends.giver.send({}, b"", [null])
    message = ends.heard()
    assert (len(message.descriptors), message.whole) == (1, True)
    for fd in (null, *message.descriptors):
        os.close(fd)


def test_a_link_can_be_watched(ends: Ends) -> None:
    assert ends.giver.fileno() == ends.socks[0].fileno() >= 0


# An end that is slow


def test_what_finds_no_room_waits_and_leaves_in_its_order(ends: Ends) -> None:
    number = ends.clog()
    ends.giver.send({"number": number})
    heard: list[int] = []
    while len(heard) < number + 1:
        while (message := ends.taker.receive()) is not None:
            heard.append(message.head["number"])
        ends.giver.flush()
    assert heard == list(range(number + 1))
    assert not ends.giver.clogged


def test_flushing_a_link_that_is_still_full_leaves_it_clogged(ends: Ends) -> None:
    ends.clog()
    ends.giver.flush()
    assert ends.giver.clogged


def test_descriptors_that_wait_leave_with_their_message(ends: Ends) -> None:
    ends.clog()
    null = os.open(os.devnull, os.O_RDONLY)
    ends.giver.send({"last": True}, b"", [null])
    last = None
    while last is None:
        while (message := ends.taker.receive()) is not None:
            if "last" in message.head:
                last = message
        ends.giver.flush()
    os.close(null)
    assert len(last.descriptors) == 1
    os.close(last.descriptors[0])


def test_closing_forgets_what_waits(ends: Ends) -> None:
    ends.clog()
    ends.giver.close()
    assert not ends.giver.clogged


# An end that is gone


def test_who_sends_to_one_that_is_gone_is_told_and_nothing_waits(ends: Ends) -> None:
    ends.taker.close()
    with pytest.raises(OSError):
        ends.giver.send({})
    assert not ends.giver.clogged


def test_what_was_said_before_is_heard_and_then_the_end(ends: Ends) -> None:
    ends.giver.send({"last": True})
    ends.giver.close()
    assert ends.heard().head == {"last": True}
    with pytest.raises(ConnectionError):
        ends.taker.receive()


def test_what_waits_for_one_that_is_gone_is_an_error_when_it_is_flushed(ends: Ends) -> None:
    ends.clog()
    ends.taker.close()
    with pytest.raises(OSError):
        ends.giver.flush()


def test_what_the_kernel_does_not_take_is_not_sent_later(ends: Ends) -> None:
    """Longer than the buffer: it would wait for ever."""
    with pytest.raises(OSError):
        ends.giver.send({}, bytes(8 << 20))
    ends.giver.send({"next": True})
    assert ends.heard().head == {"next": True}


# What is no message


@pytest.mark.parametrize(
    "data",
    [b"garbage", b"[]", b"5", b"null", b"\xff\xfe", b'{"a": 1', b"\n{}", b"[" * 100_000, b"{}" + b" " * LONGEST],
    ids=lambda data: repr(data[:10]),
)
def test_what_is_no_message_is_an_error_of_the_record_and_leaves_no_descriptor(ends: Ends, data: bytes) -> None:
    before = own_descriptors()
    null = os.open(os.devnull, os.O_RDONLY)
    socket.send_fds(ends.socks[0], [data], [null])
    os.close(null)
    with pytest.raises(RecordError):
        ends.taker.receive()
    assert own_descriptors() == before


def test_a_message_that_has_lost_its_end_is_none(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of it may well be JSON; another version's messages may be longer than ours."""
    monkeypatch.setattr(link_module, "LONGEST", 10)
    ends.giver.send({}, b"0123456789")
    with pytest.raises(RecordError):
        ends.taker.receive()


# Without a number left


def test_a_process_without_a_number_left_hears_the_message_and_knows_that_descriptors_are_missing(ends: Ends) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    ends.giver.send({"sessions": [1]}, b"", [null] * 3)
    with starved():
        message = ends.heard()
    os.close(null)
    assert (message.head, message.descriptors, message.whole) == ({"sessions": [1]}, [], False)


# Versions


def test_our_own_version_and_those_before_it_are_known() -> None:
    for version in range(1, VERSION + 1):
        check_version({"version": version})


@pytest.mark.parametrize("version", [VERSION + 1, 0, -1, "1", 1.0, True, None, [], "x" * 1000])
def test_any_other_version_is_refused_by_its_name(version: object) -> None:
    with pytest.raises(RecordError) as caught:
        check_version(json.loads(json.dumps({"version": version})))
    assert repr(version)[:15] in str(caught.value)
    assert len(str(caught.value)) < 100


def test_no_version_is_none() -> None:
    with pytest.raises(RecordError):
        check_version({})


@pytest.mark.parametrize("count", [0, 1, MOST_LISTENERS, MOST_LISTENERS + 1, 3 * MOST_LISTENERS])
def test_one_message_tells_of_so_many_listeners_only_and_there_is_always_one(count: int) -> None:
    listeners = list(range(count))
    told = list(portions(listeners))
    assert [one for some in told for one in some] == listeners
    assert all(len(some) <= MOST_LISTENERS for some in told)
    assert len(told) == max(1, -(-count // MOST_LISTENERS))
