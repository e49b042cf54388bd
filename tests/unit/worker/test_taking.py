"""Taking over: what is taken, what is refused, and when the UDP sockets are ours to read."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from l4d.handover import record, settings
from l4d.handover.parcel import Parcel
from l4d.handover.record import VERSION, Kind, Record, Way
from l4d.loop import loop as loop_module
from l4d.loop.loop import IN
from l4d.stats import catalogue
from l4d.terms import Protocol
from l4d.udp.client import Client
from l4d.udp.transfer import datagram_told
from l4d.worker.taking import BEREFT, MOST_MESSAGES, PATIENCE
from tests.kit.processes import own_descriptors
from tests.kit.starved import starved
from tests.kit.wait import is_readable
from tests.unit.making import Clock, listener
from tests.unit.worker.posts import Played, Post, Town, link

LISTENERS = {"version": VERSION, "listeners": []}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def town(stack: ExitStack) -> Town:
    return Town(stack)


def played(town: Town, new: Post, said: dict[str, Any] | None = None) -> Played:
    """A worker of the last generation that the test plays."""
    giver = Played(town.stack, new)
    new.taker.add(giver.theirs)
    giver.link.send(LISTENERS if said is None else said)
    new.loop.turn()
    return giver


class Pair:
    """A relay's two connections, and what is at their other ends."""

    def __init__(self, stack: ExitStack) -> None:
        (self.client, self.ours), (self.theirs, self.peer) = socket.socketpair(), socket.socketpair()
        for sock in (self.client, self.ours, self.theirs, self.peer):
            stack.enter_context(sock)
        self.descriptors = [self.ours.fileno(), self.theirs.fileno()]


def relay(town: Town, **changes: Any) -> dict[str, Any]:
    """The record of a relay to the town's server."""
    one = Record(Kind.RELAY.value, "web", [1, 1], started=1.0, connected=1.0)
    one.server = ["db", "one", f"127.0.0.1:{town.server.getsockname()[1]}"]
    one.heard = time.monotonic()
    for name, value in changes.items():
        setattr(one, name, value)
    return record.told(one)


def test_the_first_word_says_what_there_is_room_for_and_what_is_served(town: Town) -> None:
    giver = played(town, town.post(room=50))
    assert giver.hears("version").head == {"version": VERSION, "room": 50, "tcp": {"web": "db"}}


def test_a_session_that_comes_goes_on_here_and_the_answer_says_so(town: Town) -> None:
    new, pair = town.post(), Pair(town.stack)
    giver = played(town, new)
    giver.link.send({"sessions": [relay(town)]}, b"", pair.descriptors)
    assert giver.hears("taken").head == {"taken": 1, "refused": [], "room": 998}
    assert town.passes(pair.client, pair.peer, b"question")
    assert town.gauges == [1, 0, 1, 0, 0]
    assert town.total(catalogue.HANDED_OVER, "tcp") == 1


def test_an_empty_chunk_is_the_question_for_room(town: Town) -> None:
    giver = played(town, town.post())
    giver.link.send({"sessions": []})
    assert giver.hears("taken").head == {"taken": 0, "refused": [], "room": 1000}


def test_bytes_on_their_way_are_delivered_before_those_that_come_later(town: Town) -> None:
    new, pairs = town.post(), [Pair(town.stack) for _ in range(2)]
    giver = played(town, new)
    memory = os.memfd_create("bytes")
    os.write(memory, b"up oneup twodown two")
    told = [relay(town, up=Way(pending=6)), relay(town, up=Way(pending=6), down=Way(pending=8))]
    giver.link.send({"sessions": told}, b"", [*pairs[0].descriptors, *pairs[1].descriptors, memory])
    os.close(memory)
    for pair in pairs:
        pair.client.send(b", later")
    assert giver.hears("taken").head["refused"] == []
    ends = [(pairs[0].peer, b"up one, later"), (pairs[1].peer, b"up two, later"), (pairs[1].client, b"down two")]
    for sock, expected in ends:
        received = b""
        while len(received) < len(expected):
            new.turn_until("it has passed", lambda: is_readable(sock))  # noqa: B023 - called before the next one
            received += sock.recv(100)
        assert received == expected


# What is refused


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "of the next version"},
        {"listener": "that was never heard of"},
        {"server": ["db", "that was never heard of", "10.0.0.1:80"]},
        {"server": ["db"]},
        {"server": []},
        {"bound": "192.0.2.1:53"},
        {"end": "??"},
    ],
)
def test_a_record_that_is_not_understood_is_refused_and_the_others_are_taken(
    town: Town, changes: dict[str, Any]
) -> None:
    new, pairs = town.post(), [Pair(town.stack) for _ in range(3)]
    giver = played(town, new)
    before = own_descriptors()
    told = [relay(town), relay(town, **changes), relay(town)]
    giver.link.send({"sessions": told}, b"", [fd for pair in pairs for fd in pair.descriptors])
    assert giver.hears("taken").head == {"taken": 3, "refused": [1], "room": 996}
    assert own_descriptors() == before + 4, "nothing is left of the one that was refused"
    assert town.gauges == [2, 0, 2, 0, 0]
    for pair in (pairs[0], pairs[2]):
        assert town.passes(pair.client, pair.peer, b"question")
    assert town.total(catalogue.HANDED_OVER) == 2


@pytest.mark.parametrize(
    "sessions",
    [
        None,
        5,
        {},
        ["record"],
        [{"kind": 5}],
        [{"kind": "relay", "families": "11"}],
        [{"up": {"pending": 10}, "families": [1, 1]}],
        [{"up": {"pending": 1 << 62}, "families": [1, 1]}],
    ],
)
def test_a_chunk_that_is_none_ends_the_link_and_leaves_nothing_open(town: Town, sessions: object) -> None:
    new, pairs = town.post(), [Pair(town.stack) for _ in range(2)]
    giver = played(town, new)
    before = own_descriptors()
    whole = [relay(town), *sessions] if isinstance(sessions, list) else sessions
    giver.link.send({"sessions": whole}, b"", [fd for pair in pairs for fd in pair.descriptors])
    assert "refused" in giver.hears("refused").head
    assert giver.is_let_go()
    new.loop.turn()
    assert own_descriptors() == before - 1, "the link is closed, and nothing else is left"
    assert (town.gauges, new.capacity.sessions, new.taker.idle) == ([0] * 5, 0, True)


def test_descriptors_that_are_no_sockets_make_no_session(town: Town) -> None:
    new, pair = town.post(), Pair(town.stack)
    giver = played(town, new)
    before = own_descriptors()
    null = os.open(os.devnull, os.O_RDONLY)
    giver.link.send({"sessions": [relay(town)]}, b"", [pair.descriptors[0], null])
    os.close(null)
    assert "no sockets" in giver.hears("refused").head["refused"]
    assert giver.is_let_go()
    new.loop.turn()
    assert own_descriptors() == before - 1


def test_a_process_without_a_number_left_takes_nothing_and_says_that_there_is_no_room(town: Town) -> None:
    new, pairs = town.post(), [Pair(town.stack) for _ in range(3)]
    giver = played(town, new)
    giver.hears("version")
    giver.link.send({"sessions": [relay(town)] * 3}, b"", [fd for pair in pairs for fd in pair.descriptors])
    with starved():
        new.loop.turn()
    assert giver.hears("taken").head == {"taken": 0, "refused": [], "room": 0}
    assert new.capacity.sessions == 0
    giver.link.send({"sessions": [relay(town)]}, b"", pairs[0].descriptors)
    assert giver.hears("taken").head == {"taken": 1, "refused": [], "room": 998}


def test_descriptors_that_come_with_anything_else_are_closed(town: Town) -> None:
    new = town.post()
    giver = played(town, new)
    before = own_descriptors()
    null = os.open(os.devnull, os.O_RDONLY)
    giver.link.send({"of the next version": True}, b"", [null])
    os.close(null)
    new.loop.turn()
    assert own_descriptors() == before


@pytest.mark.parametrize("version", [VERSION + 1, 0, "1", None])
def test_a_giver_of_an_unknown_version_is_refused_and_the_worker_serves_without_it(town: Town, version: object) -> None:
    new = town.post()
    giver = played(town, new, {"version": version, "listeners": []})
    assert "not known" in giver.hears("refused").head["refused"]
    assert giver.is_let_go()
    assert new.told == ["read"], "the UDP sockets are not waited for"
    client, peer = town.client(new)
    assert town.passes(client, peer, b"question")


def test_a_giver_that_does_not_know_our_version_is_let_go(town: Town) -> None:
    new = town.post()
    giver = played(town, new, {"refused": "version 1 is not known"})
    assert giver.is_let_go()
    assert new.warned("version 1 is not known")


def test_a_message_that_is_not_known_yet_is_passed_over(town: Town) -> None:
    new, pair = town.post(), Pair(town.stack)
    giver = played(town, new)
    giver.link.send({"of the next version": {"a": 1}}, b"bytes")
    giver.link.send({"sessions": [relay(town) | {"of the next version": 5}]}, b"", pair.descriptors)
    assert giver.hears("taken").head["refused"] == []


def test_a_bug_met_with_one_session_costs_that_one_and_no_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    new, pairs = town.post(), [Pair(town.stack) for _ in range(3)]
    giver = played(town, new)
    adopt = new.services.adopt
    parcels: list[Parcel] = []

    def stumble(parcel: Parcel) -> object:
        parcels.append(parcel)
        if len(parcels) == 2:
            raise LookupError
        return adopt(parcel)

    monkeypatch.setattr(new.services, "adopt", stumble)
    giver.link.send({"sessions": [relay(town)] * 3}, b"", [fd for pair in pairs for fd in pair.descriptors])
    assert giver.hears("taken").head == {"taken": 3, "refused": [], "room": 996}
    assert all(sock.fileno() == -1 for sock in parcels[1].sockets)
    assert new.warned("taking a session over")
    for pair in (pairs[0], pairs[2]):
        assert town.passes(pair.client, pair.peer, b"question")


# Listeners and servers that are gone


def without_web(town: Town) -> Any:
    """A file that has only the UDP listener left."""
    listeners = {"dns": town.config.listeners["dns"]}
    return replace(town.config, listeners=listeners, upstreams={"names": town.config.upstreams["names"]})


def test_sessions_of_a_listener_that_is_gone_run_on_with_its_settings(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(time.monotonic())
    monkeypatch.setattr(loop_module, "time", clock)
    old = town.post(config=replace(town.config, listeners={**town.config.listeners, "web": listener(idle_timeout=5.0)}))
    new = town.post(config=without_web(town))
    client, peer = town.client(old)
    link(old, new)
    old.giver.begin()
    town.turn_until("it has moved", lambda: new.capacity.sessions == 1)
    assert town.passes(client, peer, b"question")
    assert town.gauges == [1, 0, 1, 0, 0]
    assert new.services.retired == {(Protocol.TCP, "web")}
    clock.now += 6
    town.turn()
    assert client.recv(1) == b""
    assert town.total(catalogue.SESSION_ENDS, "web", "cD") == 1
    (incoming,) = new.taker._links
    assert incoming.retired == 1


def test_a_listener_that_nobody_ever_counted_for_keeps_no_session_from_coming(town: Town) -> None:
    """The last generation knew it, its sessions are over, and its numbers are nobody's any more."""
    new, pair = town.post(), Pair(town.stack)
    gone = {"name": "gone", **settings.told(listener(name="gone", upstream="gone"))}
    listeners = [gone, {"name": "broken", "protocol": "sctp"}, {"name": 5}, {}, None, 5]
    giver = played(town, new, {"version": VERSION, "listeners": listeners})
    giver.link.send({"sessions": [relay(town), relay(town, listener="gone")]}, b"", pair.descriptors)
    assert giver.hears("taken").head["refused"] == [1]
    assert new.capacity.sessions == 1


@pytest.mark.parametrize("listeners", [None, {}, 5])
def test_settings_that_are_none_end_the_link(town: Town, listeners: object) -> None:
    giver = played(town, town.post(), {"version": VERSION, "listeners": listeners})
    assert giver.is_let_go()


def test_a_session_of_a_server_that_is_gone_runs_on_and_is_counted_for_it(town: Town) -> None:
    old = town.post()
    other = replace(town.config.upstreams["db"], servers=(replace(town.config.upstreams["db"].servers[0], name="two"),))
    new = town.post(config=replace(town.config, upstreams={**town.config.upstreams, "db": other}))
    pairs = [town.client(old) for _ in range(2)]
    link(old, new)
    old.giver.begin()
    town.turn_until("they have moved", lambda: new.capacity.sessions == 2)
    assert town.total(catalogue.SERVER_SESSIONS, "db", "one") == 2
    assert town.total(catalogue.SERVER_SESSIONS, "db", "two") == 0
    for pair in pairs:
        assert town.passes(*pair, b"question")


def test_flows_of_an_address_that_is_gone_are_refused(town: Town) -> None:
    old = town.post()
    listeners = {"web": town.config.listeners["web"]}
    new = town.post(config=replace(town.config, listeners=listeners))
    town.udp_client(old)
    link(old, new)
    old.giver.begin()
    town.turn_until("it is refused", lambda: old.told == ["moved"])
    assert (old.capacity.sessions, new.capacity.sessions) == (1, 0)


# UDP


def datagram(town: Town, new: Post, client: socket.socket) -> dict[str, Any]:
    receiver = new.services.receivers[town.bound]
    return {"datagram": datagram_told(receiver, Client(None, client.getsockname(), []), 0)}


def test_datagrams_that_are_passed_on_are_served_in_their_order_behind_their_flow(town: Town) -> None:
    old, new = town.post(), town.post()
    client = town.udp_client(old)
    link(old, new)
    old.giver.begin()
    client.send(b"second")
    client.send(b"third")
    old.services.receivers[town.bound].on_datagrams(IN)
    old.services.receivers[town.bound].on_datagrams(IN)
    received: list[tuple[bytes, object]] = []
    while len(received) < 2:
        town.turn_until("one has come", lambda: is_readable(town.udp_server))
        received.append(town.udp_server.recvfrom(100))
    assert received == [(b"second", town.flows[client]), (b"third", town.flows[client])]


@pytest.mark.parametrize("plain", [None, 5, [], {}, {"to": 5, "client": [], "reply": [], "cut": 0}])
def test_what_is_no_datagram_ends_the_link(town: Town, plain: object) -> None:
    giver = played(town, town.post())
    giver.link.send({"datagram": plain}, b"question")
    assert giver.is_let_go()


def test_the_sockets_are_ours_when_every_worker_of_the_last_generation_has_let_them_go(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is gone without having done so may have another one in its place, which has a link in a moment."""
    clock = Clock(time.monotonic())
    monkeypatch.setattr(loop_module, "time", clock)
    new = town.post()
    givers = [played(town, new) for _ in range(3)]
    told = []
    givers[0].link.send({"switched": True})
    new.loop.turn()
    told.append((list(new.told), new.taker.waiting))
    givers[1].link.close()
    new.loop.turn()
    told.append((list(new.told), new.taker.waiting))
    givers[2].link.send({"switched": True})
    new.loop.turn()
    told.append((list(new.told), new.taker.waiting))
    clock.now += BEREFT + 0.1
    new.loop.turn()
    told.append((list(new.told), new.taker.waiting))
    assert told == [([], True), ([], True), ([], True), (["read"], False)]
    givers[0].link.send({"switched": True})
    givers[2].link.close()
    new.loop.turn()


def test_what_one_that_is_gone_had_passed_on_is_served_before_what_the_one_in_its_place_does(town: Town) -> None:
    new, client = town.post(), town.udp_client(town.post())
    gone = played(town, new)
    told = datagram(town, new, client)
    numbers = [b"%d" % number for number in range(2 * MOST_MESSAGES)]
    for number in numbers:
        gone.link.send(told, number)
    gone.link.close()
    replacement = Played(town.stack, new)
    new.taker.add(replacement.theirs)
    replacement.link.send(told, b"last")
    replacement.link.send({"switched": True})
    new.turn_until("both are heard", lambda: new.told == ["read"])
    received = [town.udp_server.recv(100) for _ in range(len(numbers) + 1)]
    assert received == [*numbers, b"last"]


def test_the_one_in_the_place_of_one_that_is_gone_is_waited_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(time.monotonic())
    monkeypatch.setattr(loop_module, "time", clock)
    new = town.post()
    played(town, new).link.close()
    new.loop.turn()
    clock.now += BEREFT - 0.1
    new.loop.turn()
    replacement = played(town, new)
    clock.now += BEREFT
    new.loop.turn()
    assert new.told == []
    replacement.link.send({"switched": True})
    new.loop.turn()
    assert new.told == ["read"]


def test_what_was_passed_on_before_the_switch_is_served_before_we_read(town: Town) -> None:
    new, client = town.post(), town.udp_client(town.post())
    giver = played(town, new)
    giver.link.send(datagram(town, new, client), b"before")
    giver.link.send({"switched": True})
    new.loop.turn()
    assert new.told == ["read"]
    assert town.udp_server.recv(100) == b"before"


def test_a_worker_that_never_lets_them_go_is_not_waited_for_for_ever(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(time.monotonic())
    monkeypatch.setattr(loop_module, "time", clock)
    new = town.post()
    played(town, new)
    clock.now += PATIENCE - 0.1
    new.loop.turn()
    assert new.told == []
    clock.now += 0.2
    new.loop.turn()
    assert new.told == ["read"]
    assert new.warned(f"has not handed its UDP clients over within {PATIENCE:g} s")


def test_it_is_not_waited_for_for_ever_either_behind_one_that_has_let_them_go_and_lives_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(time.monotonic())
    monkeypatch.setattr(loop_module, "time", clock)
    new = town.post()
    played(town, new).link.send({"switched": True})
    new.loop.turn()
    played(town, new)
    new.told.clear()
    clock.now += PATIENCE + 0.1
    new.loop.turn()
    assert new.told == ["read"]


# The end


def test_what_was_taken_over_is_told_in_one_line_when_the_other_end_is_gone(town: Town) -> None:
    old, new = town.post(), town.post()
    for _ in range(2):
        town.client(old)
    town.udp_client(old)
    link(old, new)
    old.giver.begin()
    town.turn_until("all have moved", lambda: not old.capacity.sessions)
    assert not new.taker.idle
    for outgoing in list(old.giver._links.values()):
        outgoing.lose()
    town.turn_until("it is gone", lambda: new.taker.idle)
    assert [text for text in new.sink.texts if "took over" in text] == ["took over 2 tcp and 1 udp sessions"]


def test_of_nothing_nothing_is_told(town: Town) -> None:
    new = town.post()
    played(town, new).link.close()
    new.turn_until("it is gone", lambda: new.taker.idle)
    assert not new.warned("took over")


def test_an_answer_that_finds_no_room_leaves_when_there_is_some(town: Town) -> None:
    """A giver that is busy: more is asked of it than its link holds."""
    new = town.post()
    giver = played(town, new)
    giver.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    asked = 0
    (incoming,) = new.taker._links
    while not incoming.link.clogged:
        giver.link.send({"sessions": []})
        asked += 1
        new.loop.turn()
    answered = 0
    new.loop.turn()
    while answered < asked:
        while (message := giver.link.receive()) is not None:
            answered += "taken" in message.head
        new.loop.turn()
    assert not incoming.link.clogged


def test_protocols_are_counted_each_by_itself(town: Town) -> None:
    new, pair = town.post(), Pair(town.stack)
    giver = played(town, new)
    giver.link.send({"sessions": [relay(town)]}, b"", pair.descriptors)
    giver.hears("taken")
    (incoming,) = new.taker._links
    assert incoming.taken == {Protocol.TCP: 1}
