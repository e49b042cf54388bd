"""A worker that hangs is killed and replaced; one that stood still for a while only is left alone."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from signal import SIGCONT

import pytest

from tests.kit import Echo, Start, UdpEcho, is_alive, wait_until
from tests.kit.echo import lives
from tests.kit.processes import freeze

HANGS = 12.5
"""Seconds after which one that hangs is killed at the latest, by a master that has its CPU when it wants it."""


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.mark.slow
def test_a_worker_that_hangs_for_ten_seconds_is_replaced_and_its_queue_is_served(start: Start, echo: Echo) -> None:
    with UdpEcho() as udp_echo, ExitStack() as stack:
        daemon = start(f"""
            [main]
            workers = 3

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.web]
            servers = ["{echo.address}"]

            [upstreams.dns]
            servers = ["{udp_echo.address}"]
        """)
        hung, stopped, well = daemon.workers()
        sessions = [stack.enter_context(daemon.client("web")) for _ in range(60)]
        assert all(map(lives, sessions))
        begun = time.monotonic()
        freeze(hung)
        freeze(stopped)
        waiting = [stack.enter_context(daemon.client("web")).send(b"ping") for _ in range(60)]
        flows = [stack.enter_context(daemon.udp_client("dns")).send(b"ping") for _ in range(60)]
        time.sleep(6)  # long, and not long enough
        os.kill(stopped, SIGCONT)
        wait_until("the other one is killed", lambda: not is_alive(hung), HANGS)
        assert time.monotonic() - begun > 9.5, "too soon: its last heartbeat was at most half a second old"
        assert [client.read(4) for client in waiting] == [b"ping"] * 60
        assert [flow.receive() for flow in flows] == [b"ping"] * 60
        lost = [client for client in sessions if not lives(client)]
        assert 0 < len(lost) < 60
        daemon.wait_log(f"(pid {hung}) hangs, and is killed")
        daemon.wait_log(f"(pid {hung}) was killed by SIGKILL; sessions lost with it: {len(lost)}")
        assert len(daemon.workers()) == 3
        assert {stopped, well} < set(daemon.workers())
