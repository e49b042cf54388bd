"""Servers by name behind a real nameserver whose zone changes: no reload, no new worker, no client that fails."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from l4d.address import Inet
from tests.kit import Daemon, Echo, Start, ask, free_port, needs, wait_until
from tests.kit.servers import Zone

pytestmark = needs("unbound")

HERE = ("127.0.3.1", "127.0.3.2", "127.0.3.3")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def servers(port: int) -> Iterator[list[Echo]]:
    """Three, on one port of three addresses: "a", "b", "c"."""
    with ExitStack() as stack:
        yield [stack.enter_context(Echo(name, Inet(host, port))) for name, host in zip("abc", HERE, strict=True)]


def served_by(daemon: Daemon, *names: str) -> None:
    """Until these serve, and nobody else; every client is served meanwhile."""
    wait_until(f"{names} serve", lambda: {ask(daemon.address()) for _ in range(12)} == set(names), 20)


def test_the_servers_follow_the_zone(start: Start, servers: list[Echo], port: int, tmp_path: Path) -> None:
    records = [f"web 1 A {host}" for host in HERE]
    srv = "_web._tcp 1 SRV {} {} {} {}.example.test."
    with Zone(tmp_path, records[0]) as zone:
        daemon = start(f"""
            [resolver]
            nameservers = ["{zone.address}"]

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["web.example.test:{port}", {{ srv = "_web._tcp.example.test" }}]
        """)
        daemon.wait_log(f"web/web.example.test:{port} is {HERE[0]}:{port}")
        served_by(daemon, "a")
        before = daemon.workers()
        zone.change(*records)
        served_by(daemon, "a", "b", "c")
        zone.change(records[1], srv.format(1, 5, port, "three"), f"three 1 A {HERE[2]}")
        served_by(daemon, "b", "c")
        zone.change(records[0])
        daemon.wait_log("no such name")
        served_by(daemon, "a", "c")
        assert daemon.workers() == before
        assert daemon.generation() == 1
    assert {ask(daemon.address()) for _ in range(12)} == {"a", "c"}, "without a nameserver, too"
    assert servers
