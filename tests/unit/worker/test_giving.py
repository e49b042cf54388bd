"""Handing over: what goes, in which order, and what goes on here when the other side does not take it."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from l4d.handover.link import Message
from l4d.handover.parcel import Parcel
from l4d.handover.record import VERSION, RecordError
from l4d.linux.steering import slot_of
from l4d.stats import catalogue
from l4d.worker.giving import CHUNK
from tests.kit.processes import own_descriptors
from tests.kit.wait import is_readable
from tests.unit.worker.posts import Played, Post, Town, link


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def town(stack: ExitStack) -> Town:
    return Town(stack)


def hello(room: int = 1000, **changes: Any) -> dict[str, Any]:
    return {"version": VERSION, "room": room, "tcp": {"web": "db"}, **changes}


def played(town: Town, old: Post, said: dict[str, Any]) -> Played:
    """A successor that the test plays; it has said hello, and *old* hands over."""
    taker = Played(town.stack, old)
    old.giver.add(0, 1, taker.theirs)
    taker.link.send(said)
    old.loop.turn()
    old.giver.begin()
    return taker


def close(message: Message) -> None:
    for fd in message.descriptors:
        os.close(fd)


# All that can be moved


def test_every_session_moves_and_neither_side_notices(town: Town) -> None:
    old, new = town.post(), town.post()
    tcp = [town.client(old) for _ in range(2 * CHUNK + 3)]
    udp = [town.udp_client(old) for _ in range(CHUNK + 2)]
    before = town.gauges
    assert before == [len(tcp), len(udp), len(tcp), len(udp), 0]
    link(old, new)
    old.giver.begin()
    town.turn_until("all have moved", lambda: not old.capacity.sessions)
    assert town.gauges == before
    assert new.capacity.sessions == len(new.stages) == len(tcp) + len(udp)
    assert old.stages == []
    for client, peer in tcp[:: CHUNK // 2]:
        assert town.passes(client, peer, b"question")
        assert town.passes(peer, client, b"answer")
    assert old.told == ["moved"]
    assert town.total(catalogue.HANDED_OVER, "tcp") == len(tcp)
    assert town.total(catalogue.HANDED_OVER, "udp") == len(udp)


def test_nothing_moves_before_the_word(town: Town) -> None:
    old, new = town.post(), town.post()
    town.client(old)
    link(old, new)
    for _ in range(10):
        town.turn()
    assert (old.capacity.sessions, new.capacity.sessions) == (1, 0)


def test_the_descriptors_are_the_successors_alone_in_the_end(town: Town) -> None:
    old, new = town.post(), town.post()
    for _ in range(5):
        town.client(old)
    link(old, new)
    town.turn()
    before = own_descriptors()
    old.giver.begin()
    town.turn_until("all have moved", lambda: not old.capacity.sessions)
    town.turn()
    assert own_descriptors() == before
    assert (old.capacity.room, new.capacity.room) == (1000, 990)


def test_a_session_that_is_dialled_for_moves_when_it_is_served(town: Town) -> None:
    old, new = town.post(), town.post()
    link(old, new)
    old.giver.begin()
    client, peer = town.client(old)
    town.turn_until("it has moved", lambda: not old.capacity.sessions)
    assert town.passes(client, peer, b"question")
    assert new.capacity.sessions == 1


def test_bytes_on_their_way_of_many_sessions_arrive_where_they_belong(town: Town) -> None:
    old, new = town.post(), town.post()
    pairs = [town.client(old) for _ in range(4)]
    written = []
    for number, (client, _peer) in enumerate(pairs):
        client.setblocking(False)
        sent = b""
        for _ in range(50):
            try:
                while True:
                    sent += bytes([number]) * client.send(bytes([number]) * 65536)
            except BlockingIOError:
                old.loop.turn()
        written.append(len(sent))
    link(old, new)
    old.giver.begin()
    town.turn_until("all have moved", lambda: not old.capacity.sessions)
    for number, (_client, peer) in enumerate(pairs):
        got = 0
        while got < written[number]:
            town.turn_until("more has come", lambda: is_readable(peer))  # noqa: B023 - called before the next one
            data = peer.recv(1 << 20)
            assert set(data) == {number}
            got += len(data)


# UDP clients


def test_moved_is_said_once_and_only_when_the_last_flow_is_taken(town: Town) -> None:
    old = town.post()
    for _ in range(3):
        town.udp_client(old)
    taker = played(town, old, hello())
    message = taker.hears("sessions")
    assert len(message.head["sessions"]) == 3
    for _ in range(5):
        old.loop.turn()
    assert old.told == []
    taker.link.send({"taken": 3, "refused": [], "room": 1000})
    old.turn_until("it is said", lambda: old.told)
    for _ in range(5):
        old.loop.turn()
    assert old.told == ["moved"]
    close(message)


def test_without_a_flow_moved_is_said_at_once_and_sessions_need_not_wait(town: Town) -> None:
    old = town.post()
    town.client(old)
    played(town, old, hello(room=0))
    assert old.told == ["moved"]


def test_flows_go_before_tcp_sessions(town: Town) -> None:
    old = town.post()
    town.client(old)
    town.udp_client(old)
    taker = played(town, old, hello())
    message = taker.hears("sessions")
    assert [one["kind"] for one in message.head["sessions"]] == ["flow", "relay"]
    close(message)


def test_with_other_slots_each_flow_goes_where_its_next_datagram_will_come(town: Town) -> None:
    old = town.post()
    new = [town.post(slot=slot, slots=3) for slot in range(3)]
    clients = [town.udp_client(old) for _ in range(30)]
    for slot, post in enumerate(new):
        link(old, post, slot, 3)
    old.giver.begin()
    town.turn_until("all have moved", lambda: not old.capacity.sessions)
    expected = [slot_of(client.getsockname(), 3) for client in clients]
    assert [post.capacity.sessions for post in new] == [expected.count(slot) for slot in range(3)]


def test_with_other_slots_tcp_sessions_are_shared_by_all(town: Town) -> None:
    old = town.post()
    new = [town.post(slot=slot, slots=3) for slot in range(3)]
    for _ in range(60):
        town.client(old)
    for slot, post in enumerate(new):
        link(old, post, slot, 3)
    old.giver.begin()
    town.turn_until("all have moved", lambda: not old.capacity.sessions)
    assert all(post.capacity.sessions >= 5 for post in new)


# What the other side does not take


def test_a_session_that_is_refused_goes_on_here_and_is_not_offered_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = town.post(), town.post()
    pairs = [town.client(old) for _ in range(3)]
    adopt, offered = new.services.adopt, []

    def choosy(parcel: Parcel) -> object:
        offered.append(parcel.record.client)
        if parcel.record.client == pairs[1][0].getsockname():
            raise RecordError("not this one")
        return adopt(parcel)

    monkeypatch.setattr(new.services, "adopt", choosy)
    link(old, new)
    old.giver.begin()
    town.turn_until("the others have moved", lambda: new.capacity.sessions == 2)
    for _ in range(30):
        town.turn()
    assert len(offered) == 3
    assert (old.capacity.sessions, len(old.stages)) == (1, 1)
    assert town.gauges == [3, 0, 3, 0, 0]
    assert town.passes(*pairs[1], b"question")
    assert new.warned("not this one")


def test_flows_that_are_refused_go_on_here_and_count_as_moved(town: Town) -> None:
    """The master is not to wait for them."""
    old = town.post()
    old.services.read_datagrams()
    client = town.udp_client(old)
    taker = played(town, old, hello())
    close(taker.hears("sessions"))
    taker.link.send({"taken": 1, "refused": [0], "room": 1000})
    old.turn_until("it is said", lambda: old.told == ["moved"])
    assert (old.capacity.sessions, town.gauges) == (1, [0, 1, 0, 1, 0])
    client.send(b"second")
    old.turn_until("it has passed", lambda: is_readable(town.udp_server))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_when_the_successor_dies_with_a_chunk_all_of_it_goes_on_here(town: Town, protocol: str) -> None:
    old = town.post()
    pairs = [town.client(old) for _ in range(5)] if protocol == "tcp" else []
    clients = [town.udp_client(old) for _ in range(5)] if protocol == "udp" else []
    before = town.gauges
    taker = played(town, old, hello())
    close(taker.hears("sessions"))
    assert town.gauges != before, "they are nobody's"
    taker.link.close()
    old.turn_until("they are back", lambda: town.gauges == before)
    assert old.capacity.sessions == len(old.stages) == 5
    assert old.capacity.room == 1000 - (10 if protocol == "tcp" else 5)
    for client, peer in pairs:
        assert town.passes(client, peer, b"question")
    for client in clients:
        town.udp_server.sendto(b"answer", town.flows[client])
        old.turn_until("the answer has passed", lambda: is_readable(client))  # noqa: B023 - called before the next one
    assert not old.giver.has_heirs


def test_what_came_back_goes_over_the_next_link(town: Town) -> None:
    """The heir's slot has a new process."""
    old, new = town.post(), town.post()
    pairs = [town.client(old) for _ in range(3)]
    town.udp_client(old)
    taker = played(town, old, hello())
    close(taker.hears("sessions"))
    taker.link.close()
    link(old, new)
    town.turn_until("all have moved", lambda: not old.capacity.sessions)
    assert new.capacity.sessions == 4
    assert old.told == ["moved"]
    for pair in pairs:
        assert town.passes(*pair, b"question")


def test_a_link_that_is_replaced_is_heard_until_it_is_known_whose_its_sessions_are(town: Town) -> None:
    """They may live there already: taking them back would give them two workers."""
    old, new = town.post(), town.post()
    pairs = [town.client(old) for _ in range(3)]
    taker = played(town, old, hello(room=4))
    close(taker.hears("sessions"))
    link(old, new)
    town.turn_until("what is left has moved", lambda: old.capacity.sessions == 2)
    assert [old.giver.busy, new.capacity.sessions, town.gauges[0]] == [True, 1, 1]
    taker.link.send({"taken": 2, "refused": [1], "room": 100})
    town.turn_until("what was refused is back", lambda: len(old.stages) == 1)
    assert taker.is_let_go()
    assert [old.giver.busy, old.capacity.sessions, town.gauges[0]] == [False, 1, 2]
    (stage,) = old.stages
    assert any(town.passes(*pair, b"question") for pair in pairs if is_of(stage, pair))


def is_of(stage: object, pair: tuple[socket.socket, socket.socket]) -> bool:
    """Whether it is the relay of this client."""
    return bool(stage._session.client == pair[0].getsockname())  # type: ignore[attr-defined]


def test_bytes_that_were_on_their_way_come_back_too(town: Town) -> None:
    old = town.post()
    client, peer = town.client(old)
    client.setblocking(False)
    sent = 0
    for _ in range(50):
        try:
            while True:
                sent += client.send(bytes(65536))
        except BlockingIOError:
            old.loop.turn()
    taker = played(town, old, hello())
    message = taker.hears("sessions")
    assert message.head["sessions"][0]["up"]["pending"] > 0
    close(message)
    taker.link.close()
    got = 0
    while got < sent:
        old.turn_until("more has come", lambda: is_readable(peer))
        got += len(peer.recv(1 << 20))
    assert got == sent


def test_what_was_not_looked_at_is_offered_again(town: Town) -> None:
    """The successor had no number left for the descriptors."""
    old = town.post()
    town.client(old)
    taker = played(town, old, hello())
    close(taker.hears("sessions"))
    taker.link.send({"taken": 0, "refused": [], "room": 0})
    assert taker.hears("sessions").head == {"sessions": []}, "it is asked whether there is room"
    taker.link.send({"taken": 0, "refused": [], "room": 100})
    message = taker.hears("sessions")
    assert len(message.head["sessions"]) == 1
    close(message)


# Room


@pytest.mark.parametrize(("room", "sessions"), [(2, 1), (5, 2), (8, 4)])
def test_no_more_is_sent_than_there_is_room_for(town: Town, room: int, sessions: int) -> None:
    old = town.post()
    for _ in range(6):
        town.client(old)
    taker = played(town, old, hello(room))
    message = taker.hears("sessions")
    assert len(message.head["sessions"]) == sessions
    assert len(message.descriptors) == 2 * sessions
    close(message)


@pytest.mark.parametrize("room", [1, 0, -5])
def test_without_room_nothing_is_sent_but_the_question_for_it(town: Town, room: int) -> None:
    old = town.post()
    client, peer = town.client(old)
    taker = played(town, old, hello(room))
    for _ in range(3):
        assert taker.hears("sessions").head == {"sessions": []}
        taker.link.send({"taken": 0, "refused": [], "room": room})
    assert town.passes(client, peer, b"question")


def test_a_worker_that_has_little_room_gets_what_it_has_room_for_and_the_rest_goes_on(town: Town) -> None:
    old, new = town.post(), town.post(room=7)
    pairs = [town.client(old) for _ in range(5)]
    link(old, new)
    old.giver.begin()
    town.turn_until("three have moved", lambda: new.capacity.sessions == 3)
    for _ in range(20):
        town.turn()
    assert (old.capacity.sessions, new.capacity.sessions) == (2, 3)
    for pair in pairs:
        assert town.passes(*pair, b"question")


# The queue


@pytest.mark.parametrize(("tcp", "moves"), [({"web": "db"}, True), ({"web": "another"}, False), ({}, False)])
def test_who_waits_moves_only_to_where_the_same_servers_are_waited_for(
    stack: ExitStack, tcp: dict[str, str], moves: bool
) -> None:
    town = Town(stack, queue=10, queue_timeout=60.0)
    old = town.post()
    served, _peer = town.client(old)
    old.services.tcp["web"].service.pool.servers[0].max_sessions = 1
    waiting = town.waiting(old)
    old.turn_until("it waits", lambda: town.gauges[4] == 1)
    taker = played(town, old, hello(tcp=tcp))
    message = taker.hears("sessions")
    clients = [tuple(one["client"]) for one in message.head["sessions"]]
    assert clients == [*([waiting.getsockname()] if moves else []), served.getsockname()]
    close(message)


# Versions


@pytest.mark.parametrize("version", [VERSION + 1, 0, None, "1"])
def test_a_successor_of_an_unknown_version_is_refused_and_all_goes_on_here(town: Town, version: object) -> None:
    old = town.post()
    pair, flow = town.client(old), town.udp_client(old)
    taker = Played(town.stack, old)
    old.giver.add(0, 1, taker.theirs)
    old.giver.begin()
    taker.link.send(hello(version=version))
    assert "not known" in taker.hears("refused").head["refused"]
    assert taker.is_let_go()
    assert town.gauges == [1, 1, 1, 1, 0]
    assert town.passes(*pair, b"question")
    assert flow.fileno() >= 0
    assert old.warned("they stay here")
    assert not old.giver.has_heirs


def test_a_successor_that_does_not_know_our_version_is_let_go_and_all_goes_on_here(town: Town) -> None:
    old = town.post()
    pair = town.client(old)
    taker = Played(town.stack, old)
    old.giver.add(0, 1, taker.theirs)
    old.giver.begin()
    assert taker.hears("version").head["version"] == VERSION
    taker.link.send({"refused": "version 1 is not known"})
    assert taker.is_let_go()
    assert old.warned("version 1 is not known")
    assert town.passes(*pair, b"question")


def test_a_successor_of_the_next_version_that_says_more_is_worked_with(town: Town) -> None:
    old = town.post()
    town.client(old)
    taker = played(town, old, hello(more={"of": "it"}))
    message = taker.hears("sessions")
    taker.link.send({"taken": 1, "refused": [], "room": 998, "more": 5})
    old.turn_until("it is taken", lambda: not old.capacity.sessions)
    close(message)


def test_when_no_successor_is_left_the_sockets_are_let_go_once_clients_are_steered(town: Town) -> None:
    """Else the master would wait for the word, and the worker for a link."""
    old = town.post()
    old.services.read_datagrams()
    town.udp_client(old)
    taker = played(town, old, hello(version=VERSION + 1))
    assert taker.is_let_go()
    old.giver.steered(lambda: old.told.append("switched"))
    assert old.giver.switched
    assert "switched" in old.told
