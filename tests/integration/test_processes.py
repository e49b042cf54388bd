"""The master and its workers: what they are called, whose rights they have, what they heed, how they die together."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGWINCH

import pytest

from tests.kit import Daemon, Echo, Server, Start, is_alive, wait_until
from tests.kit.echo import lives
from tests.kit.measure import status
from tests.kit.processes import freeze, title
from tests.kit.rights import NOBODY, needs_root
from tests.kit.tcp import wait_until_refused


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


# Signals that are not heeded


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


def free_privileged_port() -> int:
    """A port below 1024 that was free a moment ago."""
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("every port below 1024 is taken")
