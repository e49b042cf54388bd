"""A relay whose server goes down, or that an operator looks at and kills, wherever in its life it is."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from l4d.terms import End
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
        relay.server_lost(End.SERVER_DOWN)
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


@pytest.mark.parametrize("finished", [False, True])
def test_one_that_is_killed_is_reset_on_both_sides_and_nothing_of_it_is_left(house: House, finished: bool) -> None:
    client = house.client()
    peer = house.accept(house.one)
    if finished:
        client.shutdown(socket.SHUT_WR)
        house.turn_until("the end has passed", lambda: is_readable(peer))
        assert peer.recv(1) == b""
    [stage] = house.tcp.stages()
    assert stage.current
    stage.kill()
    house.loop.turn()
    assert (stage.current, list(house.tcp.stages()), house.ends) == (False, [], {"KD": 1})
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionError):  # one that has read the end learns of it by writing
        peer.send(b"?") if finished else peer.recv(1)
    assert house.server("one").load() == 0


def test_what_passes_is_told_while_it_passes_and_since_when_nothing_does(house: House) -> None:
    client = house.client()
    peer = house.accept(house.one)
    client.sendall(b"question")
    house.turn_until("the question has passed", lambda: is_readable(peer))
    [stage] = house.tcp.stages()
    assert (stage.moved, stage.phase, stage.session.bytes_up) == ((8, 0), "relay", 0)
    assert stage.session.started <= stage.silent_since <= house.loop.now
