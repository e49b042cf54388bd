"""A session's deadlines go on over a move; they do not begin anew."""

import re
import time

import pytest

from tests.kit import Client, Daemon, Echo, Server, Start, wait_until
from tests.kit.measure import send_until_full, wait_until_acknowledged
from tests.kit.tcp import Peer

LATE = 0.5
"""Seconds that an end may come late on a busy machine, beside the grain of the deadline."""


def web(server: Server, listener: str = "", upstream: str = "") -> str:
    return f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        {listener}

        [upstreams.web]
        servers = ["{server.address}"]
        {upstream}
    """


def age_at_end(daemon: Daemon, end: str) -> float:
    """Seconds that the only session lived, once the log has said how it ended."""
    daemon.wait_log(f"end={end}")
    [age] = re.findall(r"total=(\d+)ms", daemon.log())
    return int(age) / 1000


def talks(client: Peer, peer: Peer) -> None:
    client.send(b"?")
    assert peer.read(1) == b"?"


def test_idle_timeout_goes_on_over_moves(start: Start, server: Server) -> None:
    daemon = start(web(server, 'idle_timeout = "3s"'))
    with daemon.client() as client, server.accept():
        for _ in range(3):
            daemon.hand_over()
        assert client.read_all() == b""
    assert 2.95 < age_at_end(daemon, "cD") < 3.2 + LATE


def test_a_byte_after_the_move_puts_the_idle_timeout_off(start: Start, server: Server) -> None:
    daemon = start(web(server, 'idle_timeout = "2s"'))
    with daemon.client() as client, server.accept() as peer:
        begun = time.monotonic()
        for _ in range(6):
            daemon.hand_over()
            talks(client, peer)
        spoke = time.monotonic() - begun
        assert client.read_all() == b""
    assert spoke + 1.85 < age_at_end(daemon, "cD") < spoke + 2.2 + LATE


def test_half_close_timeout_goes_on_over_moves(start: Start, server: Server) -> None:
    daemon = start(web(server, 'half_close_timeout = "3s"'))
    with daemon.client() as client, server.accept() as peer:
        client.finish()
        assert peer.read_all() == b""
        for _ in range(3):
            daemon.hand_over()
        assert client.read_all() == b""
    assert 2.95 < age_at_end(daemon, "sL") < 3.2 + LATE


def test_max_session_time_is_over_in_time_though_the_session_moves_and_talks(start: Start, server: Server) -> None:
    daemon = start(web(server, 'max_session_time = "4s"'))
    with daemon.client() as client, server.accept() as peer:
        while "end=" not in daemon.log():
            daemon.hand_over()
            try:
                talks(client, peer)
            except (AssertionError, ConnectionError):
                break
    assert 3.55 < age_at_end(daemon, "TD") < 4.0 + LATE


def test_idle_timeout_of_the_new_file_holds_for_sessions_that_move(start: Start, server: Server) -> None:
    daemon = start(web(server, 'idle_timeout = "10m"'))
    with daemon.client() as client, server.accept():
        daemon.hand_over(web(server, 'idle_timeout = "1500ms"'))
        assert client.read_all() == b""
    assert 1.45 < age_at_end(daemon, "cD") < 1.6 + LATE


def test_a_session_that_is_too_old_for_the_new_file_ends_at_once(start: Start, server: Server) -> None:
    daemon = start(web(server))
    with daemon.client() as client, server.accept():
        daemon.hand_over(web(server, 'max_session_time = "1ms"'))
        assert client.read_all() == b""
    daemon.wait_log("end=TD")


@pytest.mark.parametrize("moves", [1, 3])
def test_an_early_close_after_the_move_still_leads_to_another_server(start: Start, server: Server, moves: int) -> None:
    with Echo("other") as other:
        toml = web(server, upstream='early_close = "30s"').replace(
            f'"{server.address}"', f'"{server.address}", {{ address = "{other.address}", backup = true }}'
        )
        daemon = start(toml)
        with daemon.client() as client, server.accept() as peer:
            for _ in range(moves):
                daemon.hand_over()
            peer.close()
            assert client.send(b"?\n").read_line() == b"other ?\n"
        daemon.wait_log("closed without a byte")
        daemon.wait_log("tries=2")


def test_early_close_goes_on_over_moves(start: Start, server: Server) -> None:
    daemon = start(web(server, upstream='early_close = "1s"'))
    with daemon.client() as client, server.accept() as peer:
        begun = time.monotonic()
        daemon.hand_over()
        wait_until("early_close is over", lambda: time.monotonic() > begun + 1.1)
        daemon.hand_over()
        peer.close()
        assert client.read_all() == b""
    daemon.wait_log("end=--")
    assert "closed without a byte" not in daemon.log()


def test_a_client_that_takes_nothing_of_a_dead_server_is_left_in_time_over_moves(start: Start, server: Server) -> None:
    daemon = start(web(server, 'half_close_timeout = "3s"'))
    with Client(daemon.address(), receive_buffer=8192), server.accept() as peer:
        send_until_full(peer, bytes(100_000_000))
        peer.reset()
        begun = time.monotonic()
        for _ in range(3):
            daemon.hand_over()
        daemon.wait_log("end=SD")
        assert 2.9 < time.monotonic() - begun < 3.3 + LATE


def test_a_client_that_does_not_acknowledge_the_last_bytes_is_left_in_time_over_moves(
    start: Start, server: Server
) -> None:
    daemon = start(web(server, 'half_close_timeout = "3s"'))
    with Client(daemon.address(), receive_buffer=8192) as client, server.accept() as peer:
        client.send(b"?" * 100_000)
        assert peer.read(1) == b"?"
        peer.send(bytes(60_000))
        wait_until_acknowledged(peer)
        peer.close()  # with unread input: a reset
        begun = time.monotonic()
        for _ in range(3):
            daemon.hand_over()
        daemon.wait_log("end=SD")
        assert 2.9 < time.monotonic() - begun < 3.3 + LATE
