"""iperf3 in both directions. Its UDP test has a TCP connection beside it, to the same port."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit import Daemon, Start, needs
from tests.kit.programs import LOOPBACK, free_port_of_both, port_of, run
from tests.kit.servers import Iperf

pytestmark = needs("iperf3")

both_directions = pytest.mark.parametrize("direction", [(), ("--reverse",)], ids=["up", "down"])


@pytest.fixture
def iperf(tmp_path: Path) -> Iterator[Iperf]:
    with Iperf(tmp_path) as iperf:
        yield iperf


@pytest.fixture
def daemon(start: Start, iperf: Iperf) -> Daemon:
    """l4d in front of iperf3, at one port for TCP and UDP."""
    port = free_port_of_both()
    return start(f"""
        [listeners.tcp]
        bind = "127.0.0.1:{port}"
        upstream = "iperf"

        [listeners.udp]
        bind = "127.0.0.1:{port}"
        protocol = "udp"
        upstream = "iperf"

        [upstreams.iperf]
        servers = ["{iperf.address}"]
    """)


@both_directions
def test_tcp_streams_flow(daemon: Daemon, direction: tuple[str, ...]) -> None:
    end = _measure(daemon, "--parallel", "2", *direction)
    received = end["sum_received"]
    assert received["bits_per_second"] > 50e6
    assert received["bytes"] <= end["sum_sent"]["bytes"]


@both_directions
def test_udp_datagrams_flow(daemon: Daemon, direction: tuple[str, ...]) -> None:
    total = _measure(daemon, "--udp", "--bitrate", "5M", "--length", "1200", "--window", "2M", *direction)["sum"]
    assert total["packets"] > 500
    assert total["lost_percent"] < 1


def _measure(daemon: Daemon, *how: str) -> Any:
    """For two seconds: what iperf3 says at the end."""
    port = port_of(daemon.address("tcp"))
    return json.loads(run("iperf3", "--json", "--time", 2, *how, "--client", LOOPBACK, "--port", port))["end"]
