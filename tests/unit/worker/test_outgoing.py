"""One link to a worker of the next generation: what becomes of a chunk, whatever the other end says."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.child import channel
from l4d.handover.link import Link, Message
from l4d.handover.parcel import Parcel
from l4d.handover.record import VERSION, Record, Way
from l4d.log.log import Log
from l4d.terms import Level
from l4d.worker.outgoing import Outgoing
from tests.kit.processes import own_descriptors
from tests.kit.starved import starved
from tests.unit.making import UNHURRIED, Lines, NeverWaiting

HELLO = {"version": VERSION, "room": 100, "tcp": {"web": "db"}}


class Office:
    """The link's parent, and its other end."""

    def __init__(self, stack: ExitStack) -> None:
        self.loop = NeverWaiting()
        stack.callback(self.loop.shut)
        self.sink = Lines()
        ours, theirs = channel.link_pair()
        self.link = Link(theirs)
        stack.callback(self.link.close)
        self.said: list[str] = []
        self.live: list[str] = []
        self.refused: list[str] = []
        self.outgoing = Outgoing(self.loop, Log(self.sink, Level.DEBUG, "worker"), self, ours, 3)
        stack.callback(self.outgoing.lose)
        self.stack = stack

    # As the parent

    def ready(self, _outgoing: Outgoing) -> None:
        self.said.append("ready")

    def taken(self, parcel: Parcel) -> None:
        self.said.append(f"{parcel.record.listener} taken")

    def came_back(self, parcel: Parcel, *, refused: bool) -> None:
        self.said.append(f"{parcel.record.listener} {'refused' if refused else 'back'}")

    def unclogged(self) -> None:
        self.said.append("unclogged")

    # As the other end

    def answers(self, head: dict[str, Any]) -> list[str]:
        """What the parent hears of it."""
        self.said.clear()
        self.link.send(head)
        self.loop.turn()
        return self.said

    def hears(self) -> Message:
        message = self.link.receive()
        assert message is not None
        return message

    def is_full(self) -> bool:
        return self.outgoing.clogged

    def parcels(self, *names: str, up: bytes = b"", down: bytes = b"") -> list[Parcel]:
        """One of each name, with a socket."""
        made = []
        for name in names:
            one, other = socket.socketpair()
            self.stack.enter_context(one)
            self.stack.enter_context(other)
            told = Record("relay", name, [1], up=Way(pending=len(up)), down=Way(pending=len(down)))
            made.append(Parcel(told, [one], 2, up, down))
        return made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def office(stack: ExitStack) -> Office:
    return Office(stack)


@pytest.fixture
def ready(office: Office) -> Office:
    """The other end has said hello."""
    assert not office.outgoing.idle
    assert office.answers(HELLO) == ["ready"]
    office.said.clear()
    return office


def test_a_link_is_idle_when_the_other_side_has_said_hello(ready: Office) -> None:
    outgoing = ready.outgoing
    assert (outgoing.idle, outgoing.busy, outgoing.room, outgoing.tcp) == (True, False, 100, {"web": "db"})


@pytest.mark.parametrize("tcp", [None, [], 5, "web"])
def test_what_a_successor_says_wrongly_of_its_listeners_is_as_if_it_had_none(office: Office, tcp: object) -> None:
    assert office.answers({**HELLO, "tcp": tcp}) == ["ready"]
    assert office.outgoing.tcp == {}


def test_a_chunk_goes_with_its_descriptors_and_its_bytes_in_order(ready: Office) -> None:
    parcels = ready.parcels("a", up=b"up of a", down=b"down of a") + ready.parcels("b", down=b"down of b")
    ready.outgoing.send(parcels)
    message = ready.hears()
    assert [one["listener"] for one in message.head["sessions"]] == ["a", "b"]
    assert len(message.descriptors) == 3
    assert os.pread(message.descriptors[-1], 100, 0) == b"up of adown of adown of b"
    for fd in message.descriptors:
        os.close(fd)


def test_without_bytes_on_their_way_no_memory_goes_along(ready: Office) -> None:
    ready.outgoing.send(ready.parcels("a", "b"))
    message = ready.hears()
    assert len(message.descriptors) == 2
    for fd in message.descriptors:
        os.close(fd)


def test_one_chunk_is_under_way_at_a_time(ready: Office) -> None:
    ready.outgoing.send(ready.parcels("a"))
    assert (ready.outgoing.idle, ready.outgoing.busy) == (False, True)
    assert ready.answers({"taken": 1, "refused": [], "room": 98}) == ["a taken", "ready"]
    assert (ready.outgoing.idle, ready.outgoing.busy, ready.outgoing.room) == (True, False, 98)


def test_asking_for_room_is_no_chunk_but_an_answer_is_waited_for(ready: Office) -> None:
    ready.outgoing.send([])
    assert (ready.outgoing.idle, ready.outgoing.busy) == (False, False)
    assert ready.hears().head == {"sessions": []}
    assert ready.answers({"taken": 0, "refused": [], "room": 7}) == ["ready"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"taken": 3}, ["a taken", "b taken", "c taken"]),
        ({"taken": 3, "refused": [1]}, ["a taken", "b refused", "c taken"]),
        ({"taken": 3, "refused": [0, 1, 2]}, ["a refused", "b refused", "c refused"]),
        ({"taken": 0, "refused": []}, ["a back", "b back", "c back"]),
        ({"taken": 2, "refused": [0, 2]}, ["a refused", "b taken", "c back"]),
        ({"taken": 99, "refused": [99, -1]}, ["a taken", "b taken", "c taken"]),
        ({"taken": -1}, ["a back", "b back", "c back"]),
    ],
)
def test_each_of_a_chunk_is_taken_or_goes_on_here(ready: Office, answer: dict[str, Any], expected: list[str]) -> None:
    ready.outgoing.send(ready.parcels("a", "b", "c"))
    assert ready.answers({**answer, "room": 50}) == [*expected, "ready"]


def test_the_memory_is_given_back_when_the_chunk_is_answered(ready: Office) -> None:
    parcels = ready.parcels("a", up=b"bytes")
    before = own_descriptors()
    ready.outgoing.send(parcels)
    for fd in ready.hears().descriptors:
        os.close(fd)
    ready.answers({"taken": 1, "room": 1})
    assert own_descriptors() == before


def test_without_a_number_for_the_memory_the_chunk_goes_on_here_until_another_time(ready: Office) -> None:
    parcels = ready.parcels("a", up=b"bytes")
    with starved():
        ready.outgoing.send(parcels)
    assert ready.said == ["a back"]
    assert ready.outgoing.idle
    assert any("too many open files" in text.lower() for text in ready.sink.texts)


def test_what_the_kernel_does_not_take_goes_on_here_and_the_link_lives(ready: Office) -> None:
    (parcel,) = ready.parcels("a")
    parcel.record.bound = "x" * (8 << 20)  # longer than any message
    ready.outgoing.send([parcel])
    assert ready.said == [f"{parcel.record.listener} back"]
    assert ready.outgoing.idle
    ready.outgoing.send(ready.parcels("b"))
    message = ready.hears()
    assert message.head["sessions"][0]["listener"] == "b"
    os.close(message.descriptors[0])


# A link that is lost


def test_when_the_other_end_goes_what_was_under_way_goes_on_here(ready: Office) -> None:
    ready.outgoing.send(ready.parcels("a", "b"))
    ready.link.close()
    ready.loop.turn()
    assert ready.said == ["a back", "b back", "unclogged"]
    assert ready.outgoing.broken
    assert not (ready.outgoing.idle or ready.outgoing.busy)


def test_a_link_is_lost_once(ready: Office) -> None:
    ready.outgoing.send(ready.parcels("a"))
    ready.outgoing.lose()
    ready.outgoing.lose()
    assert ready.said == ["a back", "unclogged"]


def test_nothing_is_said_on_a_link_that_is_lost(ready: Office) -> None:
    ready.outgoing.lose()
    ready.outgoing.say({"switched": True})
    ready.loop.turn()
    with pytest.raises(ConnectionError):
        ready.link.receive()


def test_saying_something_to_one_that_is_gone_is_told_as_an_event(ready: Office) -> None:
    ready.link.close()
    ready.outgoing.say({"switched": True})
    assert not ready.outgoing.broken
    ready.loop.turn()
    assert ready.outgoing.broken


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"taken": 1},
        {"room": 5},
        {"taken": "1", "room": 5},
        {"taken": 1, "room": None},
        {"taken": 1, "room": 5, "refused": None},
        {"taken": 1, "room": 5, "refused": 0},
        {"taken": 1, "room": 5, "refused": [[0]]},
        {"refused": "no wish to"},
        {"refused": {"a": "b"}},
        {"version": VERSION + 1, "room": 5},
        {"version": VERSION},
    ],
)
def test_an_answer_that_makes_no_sense_loses_the_link_and_what_was_under_way_goes_on_here(
    ready: Office, answer: dict[str, Any]
) -> None:
    ready.outgoing.send(ready.parcels("a"))
    for fd in ready.hears().descriptors:
        os.close(fd)
    assert ready.answers(answer) == ["a back", "unclogged"]
    assert ready.outgoing.broken
    assert "refused" in ready.hears().head
    assert any("they stay here" in text for text in ready.sink.texts)


@UNHURRIED
@given(
    st.dictionaries(
        st.sampled_from(["version", "room", "taken", "refused", "tcp", "sessions"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=4,
        ),
    )
)
def test_whatever_the_other_end_says_each_session_is_somewhere(answer: dict[str, Any]) -> None:
    with ExitStack() as stack:
        office = Office(stack)
        office.answers(HELLO)
        office.outgoing.send(office.parcels("a", "b"))
        for fd in office.hears().descriptors:
            os.close(fd)
        office.answers(answer)
        office.outgoing.lose()
        told = sorted(words.split()[0] for words in office.said if words not in {"ready", "unclogged"})
        assert told == ["a", "b"]


def test_descriptors_that_nobody_asked_for_are_closed(ready: Office) -> None:
    before = own_descriptors()
    null = os.open(os.devnull, os.O_RDONLY)
    ready.link.send({"taken": 0, "room": 5}, b"", [null])
    os.close(null)
    ready.loop.turn()
    assert own_descriptors() == before


# A link that is full


def test_a_full_link_tells_when_there_is_room_again(ready: Office) -> None:
    number = 0
    while not ready.is_full():
        ready.outgoing.say({"datagram": number}, bytes(60_000))
        number += 1
    ready.loop.turn()
    assert ready.said == []
    heard: list[int] = []
    while len(heard) < number:
        while (message := ready.link.receive()) is not None:
            heard.append(message.head["datagram"])
        ready.loop.turn()
    assert heard == list(range(number))
    assert not ready.is_full()
    assert "unclogged" in ready.said
    ready.said.clear()
    ready.loop.turn()
    assert ready.said == [], "nothing spins"


def test_an_answer_is_heard_though_the_link_is_full(ready: Office) -> None:
    ready.outgoing.send(ready.parcels("a"))
    while not ready.is_full():
        ready.outgoing.say({"datagram": 0}, bytes(60_000))
    assert ready.answers({"taken": 1, "room": 5}) == ["a taken", "ready"]
    while (message := ready.link.receive()) is not None:
        for fd in message.descriptors:
            os.close(fd)


def test_what_one_has_taken_before_it_died_is_taken_though_it_left_much_unread(ready: Office) -> None:
    ready.outgoing.send(ready.parcels("a"))
    while not ready.outgoing.clogged:
        ready.outgoing.say({"datagram": {}}, bytes(60_000))
    ready.link.send({"taken": 1, "refused": [], "room": 10})
    ready.link.close()
    ready.said.clear()
    ready.loop.turn()
    assert "a taken" in ready.said
    assert "a back" not in ready.said
    assert ready.outgoing.broken
