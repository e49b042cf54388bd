"""Steering: a client goes to the worker that its address says, and to no worker that does not serve yet."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from signal import SIGHUP, SIGKILL

import pytest

from l4d.linux.steering import slot_of
from tests.kit import Daemon, Echo, Server, Start, UdpEcho, wait_until
from tests.kit.processes import children


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo("one") as echo:
        yield echo


@pytest.fixture
def udp_echo() -> Iterator[UdpEcho]:
    with UdpEcho("one") as echo:
        yield echo


def both(workers: int, tcp: Echo, udp: UdpEcho, more: str = "") -> str:
    """A configuration with a TCP and a UDP listener."""
    return f"""
        [main]
        workers = {workers}

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.web]
        servers = ["{tcp.address}"]

        [upstreams.dns]
        servers = ["{udp.address}"]
        {more}
    """


UNANSWERED = """
        [upstreams.slow]
        servers = ["{server.address}"]
        check = {{ type = "http", timeout = "10s" }}
"""
"""A check that keeps a new generation from serving for LOOK_TIMEOUT seconds."""


def started(daemon: Daemon, workers: int) -> list[int]:
    """The workers of a generation that does not serve yet, once there are so many."""
    before = children(daemon.pid)
    daemon.signal(SIGHUP)
    wait_until("all of them and control are born", lambda: len(children(daemon.pid)) == len(before) + workers + 1)
    return sorted(set(children(daemon.pid)) - set(before))[:workers]


def test_nobody_is_reset_when_a_reload_to_more_workers_is_given_up(
    start: Start, echo: Echo, udp_echo: UdpEcho, server: Server
) -> None:
    daemon = start(both(2, echo, udp_echo))
    daemon.write(both(6, echo, udp_echo, UNANSWERED.format(server=server)))
    victim = started(daemon, 6)[5]
    with ExitStack() as clients:
        tcp = [clients.enter_context(daemon.client("web")) for _ in range(40)]
        udp = [clients.enter_context(daemon.udp_client("dns")) for _ in range(40)]
        for client in tcp:
            assert client.send(b"1\n").read_line() == b"one 1\n"
        assert {client.send(b"1").receive() for client in udp} == {b"one 1"}
        waiting = [clients.enter_context(daemon.client("web")) for _ in range(40)]
        os.kill(victim, SIGKILL)
        daemon.wait_log("generation 2 did not come up")
        daemon.wait_log("generation 2 is gone")
        for client in (*tcp, *waiting):
            assert client.send(b"2\n").read_line() == b"one 2\n"
        assert {client.send(b"2").receive() for client in udp} == {b"one 2"}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_udp_client_is_served_by_the_worker_of_its_slot(
    start: Start, echo: Echo, udp_echo: UdpEcho, workers: int
) -> None:
    """One worker after the other is killed: with it go the flows of its slot, and those alone."""
    daemon = start(both(3, echo, udp_echo))
    daemon.reload(both(workers, echo, udp_echo))
    daemon.wait_log("generation 1 is gone")
    with ExitStack() as stack:
        clients = [stack.enter_context(daemon.udp_client("dns")) for _ in range(40)]
        of_slot = Counter(slot_of(client.socket.getsockname(), workers) for client in clients)
        for times, worker in enumerate(daemon.workers(), 1):
            assert {client.send(b"1").receive() for client in clients} == {b"one 1"}
            os.kill(worker, SIGKILL)
            daemon.wait_log("sessions lost with it: ", times)
    told = re.findall(r"worker (\d+) .*; sessions lost with it: (\d+)", daemon.log())
    assert {int(slot): int(lost) for slot, lost in told} == of_slot
