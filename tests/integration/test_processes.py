"""The master and its workers: who lives, who replaces whom, and who leaves when."""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGSTOP, SIGTERM, SIGWINCH

import pytest

from l4d.address import Inet
from tests.kit import Client, Daemon, Echo, Server, Start, free_port, is_alive, wait_until
from tests.kit.background import Background
from tests.kit.measure import status
from tests.kit.processes import title
from tests.kit.rights import NOBODY, needs_root
from tests.kit.tcp import refuses, wait_until_refused


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


def test_processes_say_what_they_are(daemon: Daemon) -> None:
    assert title(daemon.pid) == f"l4d: master process l4d -c {daemon.config}"
    assert [title(pid) for pid in daemon.workers()] == ["l4d: worker process"] * 2
    assert len(daemon.processes()) == 3


def test_the_pid_file_says_who_runs_and_goes_with_it(start: Start, echo: Echo, tmp_path: Path) -> None:
    daemon = start(f"""
        [main]
        pid_file = "{tmp_path}/l4d.pid"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    assert (tmp_path / "l4d.pid").read_text() == f"{daemon.pid}\n"
    daemon.stop()
    assert not (tmp_path / "l4d.pid").exists()


# A worker dies


def test_a_killed_worker_takes_only_its_own_sessions_along(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    clients = [daemon.client() for _ in range(40)]
    assert all(lives(client) for client in clients)
    killed_at = time.monotonic()
    victim, other = daemon.workers()
    os.kill(victim, SIGKILL)
    wait_until("it is replaced", lambda: len(set(daemon.workers()) - {victim}) == 2)
    assert time.monotonic() - killed_at < 1
    assert other in daemon.workers()
    lost = [client for client in clients if not lives(client)]
    assert 0 < len(lost) < 40, "all sessions were in one worker, so nothing was shown"
    daemon.wait_log(f"(pid {victim}) was killed by SIGKILL; sessions lost with it: {len(lost)}")
    for client in clients:
        client.close()


def test_under_load_nobody_is_refused_while_a_worker_is_killed_and_replaced(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    killed = False

    def visit_until_killed_and_a_little_longer() -> int:
        lost = left = 0
        while not killed or left < 100:
            left += killed
            with daemon.client() as client:  # a refusal would be raised here
                lost += not lives(client)
        return lost

    with ThreadPoolExecutor() as threads:
        visitors = [threads.submit(visit_until_killed_and_a_little_longer) for _ in range(3)]
        wait_until("the visitors are at it", lambda: echo.served > 100)
        victim = daemon.workers()[0]
        os.kill(victim, SIGKILL)
        wait_until("it is replaced", lambda: len(set(daemon.workers()) - {victim}) == 2)
        killed = True
        lost = sum(visitor.result() for visitor in visitors)
    assert lost <= 3, "each visitor had one session at the most in the worker that was killed"


def test_connections_that_wait_in_a_dead_workers_queue_are_served_by_the_next(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    frozen = daemon.workers()[0]
    freeze(frozen)
    clients = [daemon.client().send(b"hello") for _ in range(40)]

    def are_all_of_the_other_worker_served() -> bool:
        return echo.served > 0 and sum(map(has_answer, clients)) == echo.served

    wait_until("the other worker has served its own", are_all_of_the_other_worker_served)
    assert 0 < echo.served < 40
    os.kill(frozen, SIGKILL)
    for client in clients:
        with client:
            assert client.read(5) == b"hello"


def test_a_worker_that_keeps_dying_is_replaced_after_a_growing_pause(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    for _ in range(4):
        [worker] = wait_until("there is a worker", daemon.workers)
        os.kill(worker, SIGKILL)
        daemon.wait_log(f"(pid {worker}) was killed by SIGKILL")
    with daemon.client() as client:  # it waits for the next one
        assert lives(client)
    told = [line.partition("the next one starts in ")[2] for line in daemon.log().splitlines() if "keeps dying" in line]
    assert told == ["0.1 s", "0.2 s", "0.4 s"]


# The master dies


def test_workers_leave_when_their_master_is_killed(daemon: Daemon) -> None:
    workers = daemon.workers()
    os.kill(daemon.pid, SIGKILL)
    assert daemon.wait() == -SIGKILL
    wait_until("the workers have left", lambda: not any(map(is_alive, workers)))
    wait_until_refused(daemon.address())


# Rights


@needs_root
def test_workers_have_given_up_root_for_good(start: Start, echo: Echo) -> None:
    toml = f"""
        [main]
        user = "nobody"

        [listeners.web]
        bind = "127.0.0.1:{free_privileged_port()}"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """
    before = os.getgroups()
    os.setgroups([1, 2])
    try:
        daemon = start(toml)
    finally:
        os.setgroups(before)
    assert status(daemon.pid, "Groups") == "1 2"
    for worker in daemon.workers():
        assert status(worker, "Uid").split() == [str(NOBODY)] * 4
        assert status(worker, "Gid").split() == [str(NOBODY)] * 4
        assert status(worker, "Groups") == ""
        assert status(worker, "CapEff") == "0" * 16
        assert status(worker, "NoNewPrivs") == "1"
    with daemon.client() as client:
        assert lives(client)


@needs_root
def test_workers_that_gave_up_root_still_die_with_their_master(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [main]
        user = "nobody"
        group = "daemon"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    workers = daemon.workers()
    freeze(workers[0])  # it can only be told by the kernel, and that after it goes on
    os.kill(daemon.pid, SIGKILL)
    os.kill(workers[0], SIGCONT)
    wait_until("the workers have left", lambda: not any(map(is_alive, workers)))


# Leaving


def test_quit_lets_sessions_finish_and_takes_nothing_new(start: Start, echo: Echo) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """)
    with daemon.client() as client:
        assert lives(client)
        daemon.signal(SIGQUIT)
        wait_until_refused(daemon.address())
        assert lives(client)
        assert not daemon.has_ended()
    assert daemon.wait() == 0


def test_quit_serves_those_who_wait_in_the_queue_already(start: Start, echo: Echo) -> None:
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
    freeze(worker)
    clients = [daemon.client() for _ in range(40)]
    daemon.signal(SIGQUIT)
    daemon.wait_log("stopping gracefully")
    os.kill(worker, SIGCONT)
    for client in clients:
        with client:
            assert lives(client)
    assert daemon.wait() == 0


def test_quit_without_sessions_ends_at_once(daemon: Daemon) -> None:
    begun = time.monotonic()
    daemon.stop(SIGQUIT)
    assert time.monotonic() - begun < 1


def test_quit_waits_no_longer_than_drain_timeout(start: Start, server: Server) -> None:
    daemon = start(f"""
        [main]
        drain_timeout = "500ms"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept():
        begun = time.monotonic()
        daemon.signal(SIGQUIT)
        assert daemon.wait() == 0
        assert 0.45 < time.monotonic() - begun < 3
        assert client.read_all() == b""


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_term_and_int_end_everything_within_a_second(daemon: Daemon, server: Server, number: int) -> None:
    clients = [daemon.client() for _ in range(50)]
    peers = [server.accept() for _ in clients]
    begun = time.monotonic()
    os.kill(daemon.pid, number)
    assert daemon.wait() == 0
    assert time.monotonic() - begun < 1
    for each in (*clients, *peers):
        with each:
            assert each.read_all() == b""


def test_term_ends_a_frozen_worker_too_within_a_second(daemon: Daemon) -> None:
    freeze(daemon.workers()[0])
    begun = time.monotonic()
    daemon.signal(SIGTERM)
    assert daemon.wait() == 0
    assert time.monotonic() - begun < 1
    wait_until("no process is left", lambda: not daemon.processes())


def test_a_second_term_changes_nothing(daemon: Daemon, server: Server) -> None:
    with daemon.client(), server.accept():
        daemon.signal(SIGTERM)
        daemon.signal(SIGTERM)
        assert daemon.wait() == 0


def test_term_cuts_a_graceful_stop_short(daemon: Daemon, server: Server) -> None:
    with daemon.client() as client, server.accept():
        daemon.signal(SIGQUIT)
        wait_until_refused(daemon.address())
        daemon.signal(SIGTERM)
        assert daemon.wait() == 0
        assert client.read_all() == b""


def test_sigpipe_kills_nobody(daemon: Daemon, server: Server) -> None:
    before = daemon.workers()
    for pid in daemon.processes():
        os.kill(pid, SIGPIPE)
    with daemon.client() as client, server.accept() as peer:
        client.send(b"still here").finish()
        assert peer.read_all() == b"still here"
    assert daemon.workers() == before


def test_workers_leave_the_signals_of_a_terminal_to_the_master(daemon: Daemon, server: Server) -> None:
    before = daemon.workers()
    for worker in before:
        for number in (SIGHUP, SIGINT, SIGWINCH):
            os.kill(worker, number)
    with daemon.client() as client, server.accept() as peer:
        client.send(b"still here").finish()
        assert peer.read_all() == b"still here"
    assert daemon.workers() == before


def test_winch_is_ignored_in_the_foreground(daemon: Daemon, server: Server) -> None:
    before = daemon.workers()
    daemon.signal(SIGWINCH)
    daemon.reload()  # signals are heeded in their order
    daemon.wait_log("generation 1 is gone")
    with daemon.client(), server.accept():
        assert len(daemon.workers()) == 2
    assert daemon.workers() != before
    assert "stopping" not in daemon.log()


# As a daemon


def test_winch_sends_a_daemons_workers_home_and_hup_brings_them_back(echo: Echo, tmp_path: Path) -> None:
    address = Inet("127.0.0.1", free_port())
    toml = f"""
        [listeners.web]
        bind = "{address}"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """
    with Background(toml, tmp_path) as daemon:
        with Client(address) as client:
            assert lives(client)
            daemon.signal(SIGWINCH)
            wait_until_refused(address)
            assert lives(client), "what lives may finish"
        wait_until("the workers have left", lambda: not daemon.workers())
        assert is_alive(daemon.pid)
        daemon.signal(SIGHUP)
        wait_until("the workers are back", lambda: len(daemon.workers()) == 2 and not refuses(address))
        with Client(address) as client:
            assert lives(client)


def lives(client: Client) -> bool:
    """Whether the session passes bytes."""
    try:
        client.send(b"ping")
        return client.read(4) == b"ping"
    except (AssertionError, ConnectionError):
        return False


def has_answer(client: Client) -> bool:
    return client.waiting() == 5


def freeze(pid: int) -> None:
    os.kill(pid, SIGSTOP)
    wait_until("it stands still", lambda: status(pid, "State").startswith("T"))


def free_privileged_port() -> int:
    """A port below 1024 that was free a moment ago."""
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("every port below 1024 is taken")
