"""The queue: who waits, who goes on first, and how a wait ends."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from l4d.loop import loop as loop_module
from l4d.stats import catalogue
from l4d.stats.standing import Standing, Verdict
from tests.kit.wait import is_readable
from tests.unit.making import Clock, Row, is_told
from tests.unit.tcp.house import House

RESET = b"\1\0\0\0\0\0\0\0"
"""For SO_LINGER: close by RST."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Full(House):
    """Both servers have the one session they may have; each has accepted it."""

    def __init__(self, stack: ExitStack, row: Row | None = None, **settings: Any) -> None:
        super().__init__(stack, row, most=1, **{"queue": 10, **settings})
        self.clients = [self.client() for _ in range(2)]
        self.peers = [self.accept(server) for server in (self.one, self.two)]

    def make_room(self, server: int) -> None:
        """The session of this one is over, and its worker hears of the gap."""
        before = sum(self.ends.values())
        self.clients[server].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.clients[server].close()
        self.turn_until("the session is over", lambda: sum(self.ends.values()) > before)
        self.hear_of_gaps()


def test_a_session_that_finds_every_server_full_waits_and_is_served_when_one_has_room(stack: ExitStack) -> None:
    house = Full(stack)
    client = house.client()
    house.loop.turn()
    assert (house.waiting, len(house.tcp.queued)) == (1, 1)
    assert [server.load() for server in house.pool.servers] == [1, 1]
    house.make_room(1)
    assert house.waiting == 0
    assert house.is_served(client, house.two)
    assert [server.load() for server in house.pool.servers] == [1, 1]


def test_what_a_client_says_while_it_waits_arrives(stack: ExitStack) -> None:
    house = Full(stack)
    client = house.client()
    client.sendall(b"said early")
    house.loop.turn()
    assert house.waiting == 1
    house.make_room(0)
    peer = house.accept(house.one)
    house.turn_until("it has passed", lambda: is_readable(peer))
    assert peer.recv(100) == b"said early"


def test_first_come_first_served(stack: ExitStack) -> None:
    house = Full(stack)
    waiting = [house.client() for _ in range(3)]
    served = []
    for server, sock in ((0, house.one), (1, house.two)):
        house.make_room(server)
        served.append(house.is_served(waiting[server], sock))
    assert served == [True, True]
    assert house.waiting == 1


def test_a_newcomer_does_not_pass_those_who_wait(stack: ExitStack) -> None:
    """A session of another worker has left, and this worker has not been told yet when the newcomer comes."""
    house = House(stack, most=1, queue=10)
    row = house.row.another()
    theirs = [row.server(name=name, max_sessions=1) for name in ("one", "two")]
    assert all(server.take() for server in theirs)
    first = house.client()
    house.loop.turn()
    theirs[0].give_back()
    house.client()
    assert house.is_served(first, house.one)
    assert house.waiting == 1


def test_a_newcomer_need_not_wait_behind_those_who_cannot_use_what_it_can(stack: ExitStack) -> None:
    """The one who waits was refused by the server that has room now; this worker has not been told of the room."""
    house = House(stack, most=1, queue=10)
    row = house.row.another()
    theirs = [row.server(name=name, max_sessions=1) for name in ("one", "two")]
    assert theirs[1].take()
    gone = house.one.getsockname()
    house.one.close()
    house.client()
    house.turn_until("it was refused by the one and waits for the other", lambda: house.waiting == 1)
    house.one = stack.enter_context(socket.create_server(gone))
    newcomer = house.client()
    assert house.is_served(newcomer, house.one)
    assert house.waiting == 1


def test_one_who_leaves_a_server_in_another_worker_makes_room_here(stack: ExitStack) -> None:
    there = Full(stack)
    here = House(stack, there.row.another(), most=1, queue=10)
    client = here.client()
    here.loop.turn()
    assert here.waiting == 1
    there.make_room(0)
    assert is_told(here.row.board.gap_fd)
    here.hear_of_gaps()
    assert here.is_served(client, here.one)


def test_room_made_between_the_look_and_the_wait_is_not_missed(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker's session left when nobody was counted as waiting, so nobody was told."""
    house = House(stack, most=1, queue=10)
    row = house.row.another()
    theirs = [row.server(name=name, max_sessions=1) for name in ("one", "two")]
    assert all(server.take() for server in theirs)
    enter = house.pool.enter_queue

    def just_before(most: int) -> bool:
        theirs[0].give_back()
        return enter(most)

    monkeypatch.setattr(house.pool, "enter_queue", just_before)
    client = house.client()
    assert not is_told(house.row.board.gap_fd)
    assert house.is_served(client, house.one)
    assert house.waiting == 0


def test_one_who_cannot_use_the_room_there_is_keeps_nobody_from_it(stack: ExitStack) -> None:
    """It was refused by the server that has room, and waits for the other one."""
    house = Full(stack)
    house.one.close()
    choosy = house.client()
    house.loop.turn()
    house.make_room(0)
    assert house.waiting == 1  # it was refused by the first, and waits again
    house.client()
    house.turn_until("the newcomer has been refused by the first too", lambda: failures(house) == 2)
    assert house.waiting == 2
    house.make_room(1)
    assert house.is_served(choosy, house.two)
    assert house.waiting == 1


def failures(house: House) -> int:
    return sum(house.count(catalogue.SERVER_FAILURES).values())


def test_one_whom_every_server_has_refused_does_not_wait_with_those_who_may_be_taken(stack: ExitStack) -> None:
    house = Full(stack, tries=0)
    for sock in (house.one, house.two):
        sock.close()
    for _ in range(2):
        house.client()
    house.loop.turn()
    assert house.waiting == 2
    house.make_room(0)
    assert (house.waiting, failures(house)) == (2, 2)
    house.make_room(1)
    assert (house.waiting, failures(house)) == (0, 4)
    assert house.ends == {"CD": 2, "SC": 2}


# How a wait ends


def test_a_queue_without_room_is_a_limit(stack: ExitStack) -> None:
    house = Full(stack, queue=1)
    house.client()
    refused = house.client()
    assert house.ends == {"PL": 1}
    assert house.waiting == 1
    house.loop.turn()
    assert refused.recv(1) == b""


def test_without_a_queue_a_full_server_is_a_limit(stack: ExitStack) -> None:
    house = Full(stack, queue=0)
    house.client()
    assert house.ends == {"PL": 1}
    assert house.waiting == 0


def test_who_waits_for_queue_timeout_is_told_so(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    house = Full(stack, queue_timeout=10.0)
    clock = Clock(house.loop.now)
    monkeypatch.setattr(loop_module, "time", clock)
    client = house.client()
    clock.now += 9.9
    house.loop.turn()
    assert house.ends == {}
    clock.now += 0.2
    house.loop.turn()
    assert house.ends == {"sQ": 1}
    assert house.waiting == 0
    assert client.recv(1) == b""


def test_a_client_that_leaves_waits_no_more(stack: ExitStack) -> None:
    house = Full(stack)
    client = house.client()
    house.loop.turn()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()
    house.turn_until("it is over", lambda: house.ends)
    assert house.ends == {"CQ": 1}
    assert house.waiting == 0


def test_a_worker_that_stops_ends_every_wait(stack: ExitStack) -> None:
    house = Full(stack)
    for _ in range(3):
        house.client()
    house.tcp.stop()
    assert house.ends == {"XD": 5}
    assert house.waiting == 0
    assert [server.load() for server in house.pool.servers] == [0, 0]


def test_a_bug_while_a_session_waits_leaves_no_count_behind(stack: ExitStack) -> None:
    house = Full(stack)
    house.client()
    (queued,) = house.tcp.queued
    queued.broke()  # type: ignore[attr-defined]
    assert (house.waiting, house.ends) == (0, {"XD": 1})


def test_a_bug_met_when_a_session_goes_on_already_gives_up_no_wait_twice(stack: ExitStack) -> None:
    house = Full(stack)
    client = house.client()
    (queued,) = house.tcp.queued
    house.make_room(0)
    queued.broke()  # type: ignore[attr-defined]
    assert house.is_served(client, house.one)
    assert (house.waiting, house.ends) == (0, {"CD": 1})


def test_those_who_wait_for_servers_that_went_down_are_told_that_none_is_up(stack: ExitStack) -> None:
    house = Full(stack)
    house.client()
    house.loop.turn()
    for name in ("one", "two"):
        Standing(house.row.said, house.row.columns, "db", name).judge(Verdict.DOWN, house.loop.now)
    house.row.board.ring()
    house.hear_of_gaps()
    assert house.ends == {"PC": 1}
    assert house.waiting == 0


def test_where_no_server_is_up_nobody_waits(stack: ExitStack) -> None:
    house = House(stack, queue=10)
    for name in ("one", "two"):
        Standing(house.row.said, house.row.columns, "db", name).judge(Verdict.DOWN, house.loop.now)
    house.row.board.ring()
    house.client()
    assert house.ends == {"PC": 1}
