"""TERM and INT end all at once, QUIT and WINCH let what lives finish; each has its bound, and tells every end."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH

import pytest

from l4d.address import Inet, Unix
from tests.kit import Client, Daemon, Echo, Server, Start, UdpClient, UdpEcho, free_port, is_alive, wait_until
from tests.kit.background import Background
from tests.kit.echo import lives
from tests.kit.processes import children, freeze
from tests.kit.tcp import refuses, wait_until_refused
from tests.kit.wait import is_readable

STOPPED = "end=XD proxy stopped"


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.fixture
def udp_echo() -> Iterator[UdpEcho]:
    with UdpEcho() as udp_echo:
        yield udp_echo


def config(tcp: Echo, udp: UdpEcho, main: str = "", bind: str = '"127.0.0.1:0"') -> str:
    """A TCP listener and a UDP one; every end of a session is logged."""
    return f"""
        [main]
        {main}

        [log]
        level = "debug"

        [listeners.web]
        bind = [{bind}]
        upstream = "web"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.web]
        servers = ["{tcp.address}"]

        [upstreams.dns]
        servers = ["{udp.address}"]
    """


def talks(client: UdpClient) -> bool:
    return client.send(b"ping").receive() == b"ping"


def wait_until_draining(daemon: Daemon) -> None:
    wait_until("every worker takes nothing new", lambda: not daemon.workers())


# TERM and INT


def test_term_ends_five_hundred_sessions_within_a_second_and_tells_each_end(
    start: Start, echo: Echo, udp_echo: UdpEcho, tmp_path: Path
) -> None:
    path, pid_file = tmp_path / "web.sock", tmp_path / "l4d.pid"
    daemon = start(config(echo, udp_echo, f'pid_file = "{pid_file}"', f'"127.0.0.1:0", "unix:{path}"'))
    addresses = Unix(str(path)), next(each for each in daemon.addresses("web") if isinstance(each, Inet))
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(address)) for address in addresses for _ in range(250)]
        assert all(map(lives, clients))
        flows = [stack.enter_context(daemon.udp_client("dns")) for _ in range(20)]
        assert all(map(talks, flows))
        begun = time.monotonic()
        daemon.signal(SIGTERM)
        assert daemon.wait() == 0
        assert time.monotonic() - begun < 1
        assert [client.read_all() for client in clients] == [b""] * 500
    assert daemon.log().count(STOPPED) == 520
    assert not path.exists()
    assert not pid_file.exists()


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_term_and_int_close_sessions_on_both_sides(daemon: Daemon, server: Server, number: int) -> None:
    clients = [daemon.client() for _ in range(50)]
    peers = [server.accept() for _ in clients]
    begun = time.monotonic()
    os.kill(daemon.pid, number)
    assert daemon.wait() == 0
    assert time.monotonic() - begun < 1
    for each in (*clients, *peers):
        with each:
            assert each.read_all() == b""


def test_term_ends_a_frozen_worker_too_within_a_second_and_tells_what_was_lost_with_it(
    start: Start, echo: Echo, udp_echo: UdpEcho
) -> None:
    daemon = start(config(echo, udp_echo, "workers = 1"))
    [worker] = daemon.workers()
    with daemon.client("web") as client:
        assert lives(client)
        freeze(worker)
        begun = time.monotonic()
        daemon.signal(SIGTERM)
        assert daemon.wait() == 0
        assert time.monotonic() - begun < 1
    wait_until("no process is left", lambda: not daemon.processes())
    assert f"(pid {worker}) was killed by SIGKILL; sessions lost with it: 1" in daemon.log()


def test_a_second_term_changes_nothing(daemon: Daemon, server: Server) -> None:
    with daemon.client(), server.accept():
        daemon.signal(SIGTERM)
        daemon.signal(SIGTERM)
        assert daemon.wait() == 0


# QUIT


def test_quit_lets_sessions_finish_and_takes_nothing_new(
    start: Start, echo: Echo, udp_echo: UdpEcho, tmp_path: Path
) -> None:
    path, pid_file = tmp_path / "web.sock", tmp_path / "l4d.pid"
    daemon = start(config(echo, udp_echo, f'pid_file = "{pid_file}"', f'"127.0.0.1:0", "unix:{path}"'))
    with Client(Unix(str(path))) as client:
        assert lives(client)
        daemon.signal(SIGQUIT)
        for address in daemon.addresses("web"):
            wait_until_refused(address)
        assert lives(client)
        assert not daemon.has_ended()
    assert daemon.wait() == 0
    assert "end=-- finished" in daemon.log()
    assert STOPPED not in daemon.log()
    assert not path.exists()
    assert not pid_file.exists()


def test_quit_lets_udp_flows_go_on_and_begins_no_new_one(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(config(echo, udp_echo, "workers = 1"))
    with daemon.udp_client("dns") as known, daemon.udp_client("dns") as newcomer:
        assert talks(known)
        daemon.signal(SIGQUIT)
        wait_until_draining(daemon)
        for _ in range(10):
            newcomer.send(b"ping")
            assert talks(known), "it was heard behind the newcomer"
        assert not is_readable(newcomer.socket)
        daemon.stop(SIGTERM)
    assert (udp_echo.served, daemon.log().count(STOPPED)) == (11, 1)


def test_quit_serves_those_who_wait_in_the_queue_already(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(config(echo, udp_echo, "workers = 1"))
    [worker] = daemon.workers()
    freeze(worker)
    clients = [daemon.client("web") for _ in range(40)]
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


def test_quit_waits_no_longer_than_drain_timeout_and_tells_what_did_not_finish(
    start: Start, echo: Echo, udp_echo: UdpEcho
) -> None:
    daemon = start(config(echo, udp_echo, 'drain_timeout = "500ms"'))
    with daemon.client("web") as client, daemon.udp_client("dns") as flow:
        assert lives(client)
        assert talks(flow)
        begun = time.monotonic()
        daemon.signal(SIGQUIT)
        assert daemon.wait() == 0
        assert 0.45 < time.monotonic() - begun < 3
        assert client.read_all() == b""
    assert daemon.log().count(STOPPED) == 2


def test_quit_with_a_drain_timeout_of_0_waits_until_the_last_session_ends(
    start: Start, echo: Echo, udp_echo: UdpEcho
) -> None:
    daemon = start(config(echo, udp_echo, 'drain_timeout = "0"'))
    with daemon.client("web") as client:
        assert lives(client)
        daemon.signal(SIGQUIT)
        wait_until_refused(daemon.address("web"))
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert lives(client)
        assert not daemon.has_ended()
    assert daemon.wait() == 0
    assert STOPPED not in daemon.log()


def test_a_second_quit_and_a_reload_amid_the_first_change_nothing(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(config(echo, udp_echo, 'drain_timeout = "1s"'))
    with daemon.client("web") as client:
        assert lives(client)
        begun = time.monotonic()
        daemon.signal(SIGQUIT)
        wait_until_refused(daemon.address("web"))
        for number in (SIGQUIT, SIGHUP, SIGQUIT):
            daemon.signal(number)
            assert lives(client)
        assert daemon.wait() == 0
        assert 0.95 < time.monotonic() - begun < 3, "the time does not begin anew"
    assert daemon.log().count("stopping gracefully") == 1
    assert daemon.generation() == 1


def test_term_cuts_a_graceful_stop_short(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(config(echo, udp_echo))
    with daemon.client("web") as client, daemon.udp_client("dns") as flow:
        assert lives(client)
        assert talks(flow)
        daemon.signal(SIGQUIT)
        wait_until_draining(daemon)  # no connection that only looks is to end with the others
        begun = time.monotonic()
        daemon.signal(SIGTERM)
        assert daemon.wait() == 0
        assert time.monotonic() - begun < 1
        assert client.read_all() == b""
    assert daemon.log().count(STOPPED) == 2


# WINCH


def test_winch_is_ignored_in_the_foreground(daemon: Daemon, server: Server) -> None:
    before = daemon.workers()
    daemon.signal(SIGWINCH)
    daemon.reload()  # signals are heeded in their order
    daemon.wait_log("generation 1 is gone")
    with daemon.client(), server.accept():
        assert len(daemon.workers()) == 2
    assert daemon.workers() != before
    assert "stopping" not in daemon.log()


def test_winch_sends_a_daemons_workers_home_and_hup_brings_them_back(
    echo: Echo, udp_echo: UdpEcho, tmp_path: Path
) -> None:
    address, path = Inet("127.0.0.1", free_port()), tmp_path / "web.sock"
    with Background(config(echo, udp_echo, bind=f'"{address}", "unix:{path}"'), tmp_path) as daemon:
        with Client(address) as client:
            assert lives(client)
            for _ in range(2):  # the second one finds nobody to send
                daemon.signal(SIGWINCH)
                wait_until_refused(address)
                assert lives(client), "what lives may finish"
        wait_until("the workers have left", lambda: not children(daemon.pid))
        assert is_alive(daemon.pid)
        assert not path.exists()
        assert STOPPED not in daemon.log()
        daemon.signal(SIGHUP)
        wait_until("the workers are back", lambda: len(daemon.workers()) == 2 and not refuses(address))
        with Client(address) as client, Client(Unix(str(path))) as other:
            assert lives(client)
            assert lives(other)


def test_workers_sent_home_wait_no_longer_than_drain_timeout(echo: Echo, udp_echo: UdpEcho, tmp_path: Path) -> None:
    address = Inet("127.0.0.1", free_port())
    toml = config(echo, udp_echo, 'drain_timeout = "500ms"', bind=f'"{address}"')
    with Background(toml, tmp_path) as daemon, Client(address) as client:
        assert lives(client)
        begun = time.monotonic()
        daemon.signal(SIGWINCH)
        assert client.read_all() == b""
        assert 0.45 < time.monotonic() - begun < 3
        wait_until("the workers have left", lambda: not children(daemon.pid))
        assert is_alive(daemon.pid)
        assert daemon.log().count(STOPPED) == 1


def test_hup_brings_new_workers_while_those_sent_home_still_have_sessions(
    echo: Echo, udp_echo: UdpEcho, tmp_path: Path
) -> None:
    address = Inet("127.0.0.1", free_port())
    with Background(config(echo, udp_echo, bind=f'"{address}"'), tmp_path) as daemon, Client(address) as client:
        assert lives(client)
        daemon.signal(SIGWINCH)
        wait_until_refused(address)
        daemon.signal(SIGHUP)
        wait_until("new workers are there", lambda: len(daemon.workers()) == 2 and not refuses(address))
        with Client(address) as other:
            assert lives(other)
        assert lives(client)


@pytest.mark.parametrize("number", [SIGQUIT, SIGTERM])
def test_a_daemon_without_workers_can_be_stopped(echo: Echo, udp_echo: UdpEcho, tmp_path: Path, number: int) -> None:
    address = Inet("127.0.0.1", free_port())
    with Background(config(echo, udp_echo, bind=f'"{address}"'), tmp_path) as daemon:
        daemon.signal(SIGWINCH)
        wait_until("the workers have left", lambda: not children(daemon.pid))
        begun = time.monotonic()
        os.kill(daemon.pid, number)
        wait_until("the daemon has ended", lambda: not is_alive(daemon.pid))
        assert time.monotonic() - begun < 1
        assert not daemon.pid_file.exists()
