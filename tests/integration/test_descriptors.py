"""Out of descriptors: nothing new is taken for a moment, what lives goes on, and nothing spins."""

import resource
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.kit import Client, Daemon, Echo, Start, descriptors, wait_until
from tests.kit.measure import cpu_seconds


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.fixture
def lone(start: Start, echo: Echo) -> Daemon:
    """l4d with one worker."""
    return start(f"""
        [main]
        workers = 1

        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)


def test_a_worker_takes_no_more_sessions_than_it_has_descriptors_for(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [main]
        workers = 1
        rlimit_nofile = 100

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    clients = [daemon.client() for _ in range(20)]
    daemon.wait_log("no more are taken until one ends")
    wait_until("those it took are served", lambda: echo.served >= 5)
    assert echo.served <= 18  # two descriptors a session, and some in reserve
    for client in clients:  # in the order of their coming
        assert answers(client)
        client.close()
    assert echo.served == 20


def test_main_max_sessions_lets_the_others_wait(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [main]
        workers = 1
        max_sessions = 3

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    clients = [daemon.client() for _ in range(6)]
    assert [answers(client) for client in clients[:3]] == [True] * 3
    daemon.wait_log("3 sessions: no more are taken until one ends (max_sessions)")
    assert echo.served == 3
    for leaving, waiting in zip(clients[:3], clients[3:], strict=True):
        leaving.close()
        assert answers(waiting)
    for client in clients[3:]:
        client.close()


def test_without_descriptors_clients_wait_and_sessions_go_on_without_spinning(lone: Daemon) -> None:
    [worker] = lone.workers()
    with lone.client() as client:
        assert answers(client)
        leave_descriptors(worker, 0)  # there is none left
        waiting = [lone.client() for _ in range(20)]
        before, begun = cpu_seconds(worker), time.monotonic()
        while time.monotonic() < begun + 2:
            assert answers(client)
            assert not answers(waiting[0], within=0.1)
        assert cpu_seconds(worker) - before < 0.5, "a busy loop would have taken the two seconds"
        lines = [line for line in lone.log().splitlines() if "accepting clients: too many open files; pausing" in line]
        assert 1 <= len(lines) <= 3
        leave_descriptors(worker, 500)
        recovering = time.monotonic()
        for each in waiting:
            assert answers(each)
            each.close()
        assert time.monotonic() - recovering < 1


def test_accepting_pauses_too_when_there_is_no_descriptor_to_dial_with(lone: Daemon) -> None:
    [worker] = lone.workers()
    leave_descriptors(worker, 1)  # enough to accept, not enough to dial
    waiting = [lone.client() for _ in range(20)]
    lone.wait_log("end=RC out of descriptors", times=2)
    leave_descriptors(worker, 500)
    assert sum(answers(client) for client in waiting) >= 15, "most should have been left in the queue"
    for client in waiting:
        client.close()


def test_bulk_goes_on_without_descriptors_for_a_pipe(lone: Daemon) -> None:
    [worker] = lone.workers()
    data = bytes(range(256)) * 4096
    with lone.client() as client:
        assert answers(client)
        leave_descriptors(worker, 0)
        for _ in range(5):
            for begin in range(0, len(data), 1 << 17):
                client.send(data[begin : begin + (1 << 17)])
                assert client.read(1 << 17) == data[begin : begin + (1 << 17)]


def test_descriptors_are_as_many_after_as_before(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "copy"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    before = [descriptors(pid) for pid in daemon.processes()]
    for _ in range(100):
        with daemon.client() as client:
            assert answers(client)
    clients = [daemon.client() for _ in range(100)]
    assert all(answers(client) for client in clients)
    assert sum(map(descriptors, daemon.processes())) == sum(before) + 200
    for client in clients:
        client.reset()
    wait_until("all are closed", lambda: [descriptors(pid) for pid in daemon.processes()] == before)


def answers(client: Client, within: float = 5) -> bool:
    """Whether the session passes bytes."""
    client.socket.settimeout(within)
    try:
        client.send(b"ping")
        return client.read(4) == b"ping"
    except (AssertionError, ConnectionError, TimeoutError):
        return False


def leave_descriptors(pid: int, number: int) -> None:
    """Let the process open *number* more descriptors; the limit is about their numbers, and there may be gaps."""
    taken = {int(fd.name) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    free = (fd for fd in range(1 << 20) if fd not in taken)
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (next(islice(free, number, None)), hard))
