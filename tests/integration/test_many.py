"""Ten thousand UDP flows and eight thousand idle TCP sessions do not disturb the one that works."""

import resource

import pytest

from tests.kit import Client, Echo, Start, UdpEcho, descriptors
from tests.kit.crowd import Crowd, raise_limit
from tests.kit.measure import median_answer

FLOWS = 10_000
SESSIONS = 8_000


@pytest.mark.slow
@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 20_000, reason="needs 20,000 descriptors a process (ulimit -Hn)"
)
def test_thousands_of_idle_sessions_leave_the_latency_of_a_busy_one_as_it_was(start: Start) -> None:
    raise_limit()
    with Echo() as tcp_server, UdpEcho() as udp_server:
        daemon = start(f"""
            [main]
            workers = 2
            rlimit_nofile = 20000

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"
            idle_timeout = "10m"

            [upstreams.web]
            servers = ["{tcp_server.address}"]

            [upstreams.dns]
            servers = ["{udp_server.address}"]
        """)
        workers = daemon.workers()
        before = sum(map(descriptors, workers))
        busy = [daemon.client("web") for _ in range(6)]
        alone = latency(busy)
        with Crowd("tcp", daemon.address("web"), SESSIONS) as sessions:
            with Crowd("udp", daemon.address("dns"), FLOWS) as flows:
                assert sessions.answered() == SESSIONS
                assert flows.answered() == FLOWS
                assert sum(map(descriptors, workers)) == before + 2 * (SESSIONS + len(busy)) + FLOWS
                in_company = latency(busy)
                print(f"median answer: alone {alone * 1e6:.0f} us, in company {in_company * 1e6:.0f} us")
                assert in_company < 1.5 * alone + 0.001
                assert sessions.greet() == SESSIONS
                assert flows.greet() == FLOWS
        assert daemon.workers() == workers
        for client in busy:
            client.close()


def latency(clients: list[Client]) -> float:
    """The best of the medians: what else runs on this machine disturbs some of them."""
    return min(median_answer(client) for client in clients)
