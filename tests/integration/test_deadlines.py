"""Every wait has an end, and none ends too soon."""

import re
import time

import pytest

from tests.kit import Peer, Server, Start

SOON = 5.0
"""The longest that anything may take here on a busy machine; each deadline tested is far below, or far above."""


def test_a_silent_session_ends_after_idle_timeout(start: Start, server: Server) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        idle_timeout = "400ms"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer:
        begun = time.monotonic()
        assert client.read_all() == b""
        assert 0.35 < time.monotonic() - begun < SOON
        assert peer.read_all() == b""
    daemon.wait_log("end=cD idle timeout")


def test_a_byte_either_way_puts_the_idle_timeout_off(start: Start, server: Server) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        idle_timeout = "1s"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer:
        for talker, listener in ((client, peer), (peer, client)):
            talk_for(1.5, talker, listener)


def test_a_side_that_is_silent_after_the_others_fin_is_left_after_half_close_timeout(
    start: Start, server: Server
) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        half_close_timeout = "400ms"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer:
        begun = time.monotonic()
        client.finish()
        assert client.read_all() == b""
        assert 0.35 < time.monotonic() - begun < SOON
        peer.read_all()
        daemon.wait_log("end=sL timeout waiting for the server's last data")
    with daemon.client() as client, server.accept() as peer:
        peer.finish()
        assert peer.read_all() == b""
        client.read_all()
        daemon.wait_log("end=cL timeout waiting for the client's last data")


def test_last_data_that_flows_puts_the_half_close_timeout_off(start: Start, server: Server) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        half_close_timeout = "1s"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer:
        client.finish()
        assert peer.read_all() == b""
        talk_for(2.0, peer, client)


def test_half_close_timeout_is_not_the_idle_timeout(start: Start, server: Server) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        idle_timeout = "300ms"
        half_close_timeout = "1m"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as other, server.accept():
        with daemon.client() as client, server.accept() as peer:
            client.finish()
            assert peer.read_all() == b""
            assert other.read_all() == b"", "the one that has not finished is idle"
            peer.send(b"here you are")
            assert client.read(12) == b"here you are"


def test_even_a_busy_session_ends_after_max_session_time(start: Start, server: Server) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        max_session_time = "1s"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer:
        begun = time.monotonic()
        with pytest.raises((AssertionError, ConnectionError)):  # what `read` and `send` say to an end
            talk_for(SOON, client, peer)
        assert 0.85 < time.monotonic() - begun < SOON - 0.5  # up to a tenth is taken off by chance
    daemon.wait_log("end=TD max_session_time")


def test_sessions_that_began_together_do_not_all_reach_max_session_time_together(start: Start, server: Server) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        max_session_time = "3s"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    clients = [daemon.client() for _ in range(40)]
    peers = [server.accept() for _ in clients]
    daemon.wait_log("end=TD", times=40)
    ages = [int(age) for age in re.findall(r"total=(\d+)ms .*end=TD", daemon.log())]
    assert min(ages) > 2650
    assert max(ages) - min(ages) > 100  # the steps are 37 ms apart
    for each in (*clients, *peers):
        each.close()


def talk_for(seconds: float, talker: Peer, listener: Peer) -> None:
    """One byte after the other, each waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        talker.send(b".")
        assert listener.read(1) == b"."
