"""A relay whose server goes down, wherever in its life it is."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.kit.wait import is_readable
from tests.unit.tcp.house import House


@pytest.fixture
def house() -> Iterator[House]:
    with ExitStack() as stack:
        yield House(stack)


def end_all(house: House, name: str) -> int:
    """End every relay to the server *name*, as when its checks have failed and on_down is "close": how many."""
    relays = list(house.tcp.served_by(house.server(name)))
    for relay in relays:
        relay.server_down()
    house.loop.turn()
    return len(relays)


def test_a_session_ends_with_its_server_and_those_of_other_servers_go_on(house: House) -> None:
    clients = [house.client() for _ in range(2)]
    peers = [house.accept(server) for server in (house.one, house.two)]
    assert end_all(house, "one") == 1
    assert house.ends == {"SK": 1}
    assert clients[0].recv(1) == b""
    assert peers[0].recv(1) == b""
    clients[1].sendall(b"question")
    house.turn_until("the question has passed", lambda: is_readable(peers[1]))
    assert [server.load() for server in house.pool.servers] == [0, 1]


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_session_of_which_one_side_is_done_ends_with_its_server_too(house: House, who: str) -> None:
    client = house.client()
    peer = house.accept(house.one)
    done, other = (client, peer) if who == "client" else (peer, client)
    done.shutdown(socket.SHUT_WR)
    house.turn_until("the end has passed", lambda: is_readable(other))
    assert (len(house.tcp.idle), len(house.tcp.half_close)) == (0, 1)
    assert end_all(house, "one") == 1
    assert house.ends == {"SK": 1}
    assert house.server("one").load() == 0


def test_a_server_without_sessions_ends_none(house: House) -> None:
    house.client()
    house.accept(house.one)
    assert end_all(house, "two") == 0
    assert house.ends == {}
