"""A resolver under dnsperf: every query is answered."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import Daemon, Start, needs
from tests.kit.programs import LOOPBACK, port_of, run
from tests.kit.servers import Resolver

pytestmark = needs("unbound", "dnsperf")

HOSTS = 500
TIMES = 20


@pytest.fixture
def resolver(tmp_path: Path) -> Iterator[Resolver]:
    with Resolver(tmp_path, HOSTS) as resolver:
        yield resolver


@pytest.fixture
def daemon(start: Start, resolver: Resolver) -> Daemon:
    """l4d in front of the resolver."""
    return start(f"""
        [listeners.tcp]
        bind = "127.0.0.1:0"
        upstream = "resolver"

        [listeners.udp]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "resolver"

        [upstreams.resolver]
        servers = ["{resolver.address}"]
    """)


@pytest.mark.parametrize("mode", ["udp", "tcp"])
def test_no_query_is_lost(daemon: Daemon, mode: str, tmp_path: Path) -> None:
    queries = tmp_path / "queries"
    queries.write_text("".join(f"host{i}.example.test A\n" for i in range(HOSTS)))
    server = ("-s", LOOPBACK, "-p", port_of(daemon.address(mode)), "-m", mode)
    report = run("dnsperf", *server, "-d", queries, "-c", 20, "-T", 2, "-n", TIMES)
    assert _number("Queries sent", report) == HOSTS * TIMES
    assert _number("Queries completed", report) == HOSTS * TIMES
    assert _number("Queries lost", report) == 0
    assert re.search(rf"Response codes: +NOERROR {HOSTS * TIMES} \(100\.00%\)", report), report


def _number(what: str, report: str) -> int:
    found = re.search(rf"{what}: +(\d+)", report)
    assert found, report
    return int(found[1])
