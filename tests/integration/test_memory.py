"""What a session costs a worker while it does nothing: printed, and kept under a bound."""

from collections.abc import Callable

from tests.kit import Echo, Start, UdpEcho, descriptors, wait_until
from tests.kit.closing import Closing
from tests.kit.crowd import raise_limit
from tests.kit.measure import private_memory

SESSIONS = 1000
BOUND = 4096
"""Bytes of the worker's own memory for each, TCP or UDP."""


def test_an_idle_tcp_session_costs_two_descriptors_and_little_memory(start: Start) -> None:
    with Echo() as echo:
        daemon = start(f"""
            [main]
            workers = 1
            rlimit_nofile = 4000

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{echo.address}"]
        """)
        [worker] = daemon.workers()

        def greet() -> Closing:
            client = daemon.client()
            assert client.send(b"hello").read(5) == b"hello"
            return client

        assert cost_of_each(greet, worker, "TCP session") == 2


def test_a_silent_udp_flow_costs_one_descriptor_and_little_memory(start: Start) -> None:
    with UdpEcho() as echo:
        daemon = start(f"""
            [main]
            workers = 1
            rlimit_nofile = 4000

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{echo.address}"]
        """)
        [worker] = daemon.workers()

        def greet() -> Closing:
            client = daemon.udp_client()
            assert client.send(b"hello").receive() == b"hello"
            return client

        assert cost_of_each(greet, worker, "UDP flow") == 1


def test_memory_is_used_again_by_those_who_come_later(start: Start) -> None:
    with Echo() as echo:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{echo.address}"]
        """)
        [worker] = daemon.workers()
        idle = descriptors(worker)

        def come_and_go() -> int:
            for _ in range(10):
                clients = [daemon.client() for _ in range(100)]
                for client in clients:
                    assert client.send(b"hello").read(5) == b"hello"
                    client.close()
            wait_until("all have left", lambda: descriptors(worker) == idle)
            return private_memory(worker)

        first = come_and_go()
        assert max(come_and_go() for _ in range(4)) - first < 200_000, "4,000 sessions later"


def cost_of_each(greet: Callable[[], Closing], worker: int, what: str) -> float:
    """Descriptors for each of many, whose memory is asserted. *greet* makes one."""
    raise_limit()
    early = [greet() for _ in range(50)]  # what is needed but once is there now
    descriptors_before, memory_before = descriptors(worker), private_memory(worker)
    crowd = [greet() for _ in range(SESSIONS)]
    memory = (private_memory(worker) - memory_before) / SESSIONS
    each = (descriptors(worker) - descriptors_before) / SESSIONS
    print(f"an idle {what}: {each:g} descriptors, {memory:.0f} bytes of worker memory")
    for one in (*early, *crowd):
        one.close()
    assert memory < BOUND
    return each
