"""HUP moves TCP sessions to the new workers, and they cannot tell."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from l4d.address import Address, Inet, Unix
from l4d.stats import catalogue
from tests.kit import Client, Echo, Server, Start, is_alive, wait_until
from tests.kit.board import BoardOf
from tests.kit.flood import Flood
from tests.kit.measure import pipes, send_until_full, wait_until_acknowledged
from tests.kit.rights import needs_root
from tests.kit.tcp import Peer

HUPS = 20
MEGABYTE = bytes(range(256)) * 4096

each_relay = pytest.mark.parametrize("relay", ["auto", "copy", "splice"])


def web(server: Server | Echo, listener: str = "", upstream: str = "", bind: str = "127.0.0.1:0") -> str:
    return f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "{bind}"
        upstream = "web"
        {listener}

        [upstreams.web]
        servers = ["{server.address}"]
        {upstream}
    """


def talks(client: Peer, peer: Peer) -> None:
    client.send(b"question")
    assert peer.read(8) == b"question"
    peer.send(b"answer")
    assert client.read(6) == b"answer"


def is_now(counted: Callable[[], int], number: int) -> bool:
    return counted() == number


# It lives on


def test_a_session_lives_on_when_its_worker_is_gone(start: Start, server: Server) -> None:
    daemon = start(web(server))
    with daemon.client() as client, server.accept() as peer:
        for _ in range(3):
            talks(client, peer)
            old = daemon.workers()
            daemon.hand_over()
            assert not any(map(is_alive, old))
        talks(client, peer)
        client.finish()
        assert peer.read_all() == b""
        peer.finish()
        assert client.read_all() == b""
    daemon.wait_log("up=32 down=24")
    daemon.wait_log("end=--")
    assert server.nobody_waits(), "nothing was dialled anew"


@pytest.mark.parametrize("address", [Inet("::1", 0), Unix("server.sock")])
def test_a_session_of_another_family_lives_on(start: Start, tmp_path: Path, address: Address) -> None:
    six = isinstance(address, Inet)
    with Server(address if six else Unix(str(tmp_path / "server.sock"))) as server:
        daemon = start(web(server, bind="[::1]:0" if six else f"unix:{tmp_path}/client.sock"))
        with daemon.client() as client, server.accept() as peer:
            for _ in range(2):
                talks(client, peer)
                daemon.hand_over()
            talks(client, peer)
            peer.close()
            assert client.read_all() == b""
        daemon.wait_log("end=--")


@needs_root
def test_a_session_that_moves_is_counted_once(start: Start, server: Server) -> None:
    daemon = start(web(server))
    with BoardOf(daemon) as board, daemon.client() as client, server.accept() as peer:
        for moves in range(3):
            assert board.total(catalogue.HANDED_OVER, "tcp") == moves
            talks(client, peer)
            for metric, label in ((catalogue.SESSIONS, "web"), (catalogue.SESSIONS_TOTAL, "web")):
                assert board.total(metric, label) == 1, metric
            for metric in (catalogue.SERVER_SESSIONS, catalogue.SERVER_SESSIONS_TOTAL):
                assert board.total(metric, "web", str(server.address)) == 1, metric
            for way, size in (("up", 8), ("down", 6)):
                counted = partial(board.total, catalogue.BYTES, "web", way)
                wait_until("it is counted", partial(is_now, counted, size * (moves + 1)))
            daemon.hand_over()
        client.close()
        peer.close()
        wait_until("it is over", lambda: board.total(catalogue.SESSIONS, "web") == 0)
        assert board.total(catalogue.SERVER_SESSIONS, "web", str(server.address)) == 0
        assert board.total(catalogue.SESSION_ENDS, "web", "--") == 1


# Bytes on their way


@each_relay
@pytest.mark.parametrize("pause", [0.0, 0.01], ids=["fast", "slow"])
def test_no_byte_is_lost_doubled_or_reordered_over_20_reloads(
    start: Start, server: Server, relay: str, pause: float
) -> None:
    daemon = start(web(server, f'relay = "{relay}"'))
    with daemon.client() as client, server.accept() as peer, Flood(client, peer, pause=pause) as flood:
        for _ in range(HUPS):
            flood.flows()
            daemon.hand_over()
        up, down = flood.stop()
        daemon.wait_log(f"up={up} down={down} ")
    assert daemon.log().count("took over 1 tcp sessions") == HUPS


@pytest.mark.parametrize(("relay", "ends"), [("splice", 2), ("copy", 0)])
def test_what_waits_for_a_client_that_does_not_read_moves_too(
    start: Start, server: Server, relay: str, ends: int
) -> None:
    daemon = start(web(server, f'relay = "{relay}"'))
    with daemon.client() as client, server.accept() as peer:
        data = MEGABYTE * 100
        sent = send_until_full(peer, data)
        assert sum(map(pipes, daemon.workers())) == ends
        for _ in range(3):
            daemon.hand_over()
            sent += send_some(peer, data[sent:])
        peer.finish()
        assert client.read_all() == data[:sent]
        client.send(b"still there")
        assert peer.read(11) == b"still there"


def test_what_waits_for_a_server_that_does_not_read_moves_too(start: Start, server: Server) -> None:
    daemon = start(web(server))
    with daemon.client() as client, server.accept() as peer:
        data = MEGABYTE * 100
        sent = send_until_full(client, data)
        daemon.hand_over()
        client.finish()
        daemon.hand_over()
        assert peer.read_all() == data[:sent]


def send_some(peer: Peer, data: bytes) -> int:
    """What the kernel takes just now."""
    peer.socket.setblocking(False)
    try:
        return peer.socket.send(data[: 1 << 16])
    except BlockingIOError:
        return 0
    finally:
        peer.socket.settimeout(10)


# Half closed


@each_relay
@pytest.mark.parametrize("first", ["client", "server"])
def test_a_half_closed_session_delivers_its_last_data_after_the_move(
    start: Start, server: Server, relay: str, first: str
) -> None:
    daemon = start(web(server, f'relay = "{relay}"'))
    with daemon.client() as client, server.accept() as peer:
        one, other = (client, peer) if first == "client" else (peer, client)
        one.send(b"all I have").finish()
        assert other.read_all() == b"all I have"
        daemon.hand_over()
        other.send(b"go on: ")
        assert one.read(7) == b"go on: "
        daemon.hand_over()
        other.send(MEGABYTE).finish()
        assert one.read_all() == MEGABYTE
    daemon.wait_log("end=--")


@each_relay
@pytest.mark.parametrize("first", ["client", "server"])
def test_a_fin_that_waits_behind_bytes_is_passed_on_after_the_move(
    start: Start, server: Server, relay: str, first: str
) -> None:
    daemon = start(web(server, f'relay = "{relay}"'))
    with daemon.client() as client, server.accept() as peer:
        one, other = (client, peer) if first == "client" else (peer, client)
        data = MEGABYTE * 100
        sent = send_until_full(one, data)
        one.finish()
        daemon.hand_over()
        assert other.read_all() == data[:sent]
        daemon.hand_over()
        other.send(b"thanks").finish()
        assert one.read_all() == b"thanks"
    daemon.wait_log("end=--")


def test_with_half_close_off_a_fin_ends_both_directions_after_the_move_too(start: Start, server: Server) -> None:
    daemon = start(web(server, "half_close = false"))
    with daemon.client() as client, server.accept() as peer:
        data = MEGABYTE * 100
        sent = send_until_full(peer, data)
        client.finish()
        assert peer.read_all() == b""
        daemon.hand_over()
        received = client.read_all()
        assert data[: len(received)] == received
        assert len(received) <= sent


# Resets


@each_relay
@pytest.mark.parametrize("size", [60_000, 120_000], ids=["in the kernel", "in l4d too"])
def test_a_whole_answer_arrives_before_the_reset_though_the_session_moves(
    start: Start, server: Server, relay: str, size: int
) -> None:
    daemon = start(web(server, f'relay = "{relay}"'))
    answer = MEGABYTE[:size]
    with Client(daemon.address(), receive_buffer=8192) as client, server.accept() as peer:
        client.send(b"?" * 100_000)
        assert peer.read(1) == b"?"
        peer.send(answer)
        wait_until_acknowledged(peer)
        peer.close()  # with unread input: a reset
        for _ in range(3):
            daemon.hand_over()
        assert client.read(size) == answer
        assert client.is_reset()
    daemon.wait_log("end=SD server reset")
    assert f"down={size} " in daemon.log()


@needs_root
@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_right_after_the_move_is_passed_on_and_counted_once(start: Start, server: Server, who: str) -> None:
    daemon = start(web(server))
    with BoardOf(daemon) as board, daemon.client() as client, server.accept() as peer:
        talks(client, peer)
        daemon.reload()
        one, other, end = (client, peer, "CD") if who == "client" else (peer, client, "SD")
        one.reset()
        assert other.is_reset()
        daemon.wait_log(f"end={end}")
        daemon.wait_log("generation 1 is gone")
        assert board.total(catalogue.SESSION_ENDS, "web", end) == 1
        assert board.total(catalogue.SESSIONS, "web") == 0
        assert daemon.log().count("end=") == 1
