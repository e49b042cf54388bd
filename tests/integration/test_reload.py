"""HUP: the new configuration is served before the old one leaves, or everything is as it was."""

import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGSTOP

import pytest

from l4d.address import Address, Inet
from tests.kit import Client, Daemon, Echo, Server, Start, UdpEcho, ask, descriptors, free_port, is_alive, wait_until
from tests.kit.measure import status
from tests.kit.rights import needs_root
from tests.kit.tcp import wait_until_refused

FAILED = "the reload failed; everything is as it was"


@pytest.fixture
def one() -> Iterator[Echo]:
    with Echo("one") as one:
        yield one


@pytest.fixture
def two() -> Iterator[Echo]:
    with Echo("two") as two:
        yield two


def web(server: Echo | Server, main: str = "", listener: str = "") -> str:
    """A configuration with one listener on a port of the system's choice."""
    return f"""
        [main]
        {main}

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        {listener}

        [upstreams.web]
        servers = ["{server.address}"]
    """


# What changes


def test_after_a_reload_new_sessions_go_to_the_new_servers(start: Start, one: Echo, two: Echo) -> None:
    daemon = start(web(one))
    address = daemon.address()
    assert ask(address) == "one"
    daemon.reload(web(two))
    assert {ask(address) for _ in range(10)} == {"two"}


def test_what_lives_keeps_its_server(start: Start, one: Echo, two: Echo) -> None:
    daemon = start(web(one))
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        old = daemon.workers()
        daemon.reload(web(two))
        assert client.send(b"2\n").read_line() == b"one 2\n"
        daemon.wait_log("generation 1 is gone")
        assert not any(map(is_alive, old))
        assert client.send(b"3\n").read_line() == b"one 3\n"
        assert ask(daemon.address()) == "two"


def test_old_sessions_end_after_drain_timeout_where_they_are_not_handed_over(start: Start, one: Echo) -> None:
    daemon = start(web(one, main='handover = false\ndrain_timeout = "500ms"'))
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        reloaded = time.monotonic()
        daemon.reload()
        assert client.read_all() == b""
        assert 0.45 < time.monotonic() - reloaded < 3
    daemon.wait_log("generation 1 is gone")


def test_a_listener_is_added_and_another_removed(start: Start, one: Echo, two: Echo) -> None:
    old_port, kept_port, new_port = (free_port() for _ in range(3))
    daemon = start(f"""
        [listeners.old]
        bind = "127.0.0.1:{old_port}"
        upstream = "one"

        [listeners.kept]
        bind = "127.0.0.1:{kept_port}"
        upstream = "one"

        [upstreams.one]
        servers = ["{one.address}"]
    """)
    with Client(Inet("127.0.0.1", old_port)) as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        daemon.reload(f"""
            [listeners.new]
            bind = "127.0.0.1:{new_port}"
            upstream = "two"

            [listeners.kept]
            bind = "127.0.0.1:{kept_port}"
            upstream = "one"

            [upstreams.one]
            servers = ["{one.address}"]

            [upstreams.two]
            servers = ["{two.address}"]
        """)
        assert ask(Inet("127.0.0.1", new_port)) == "two"
        assert ask(Inet("127.0.0.1", kept_port)) == "one"
        wait_until_refused(Inet("127.0.0.1", old_port))
        assert client.send(b"2\n").read_line() == b"one 2\n"


def test_a_removed_listener_can_come_back(start: Start, one: Echo) -> None:
    port = free_port()
    with_it = web(one).replace("127.0.0.1:0", f"127.0.0.1:{port}")
    without_it = web(one)
    daemon = start(with_it)
    daemon.reload(without_it)
    wait_until_refused(Inet("127.0.0.1", port))
    daemon.reload(with_it)
    assert ask(Inet("127.0.0.1", port)) == "one"


def test_the_number_of_workers_follows_the_file(start: Start, one: Echo) -> None:
    daemon = start(web(one, main="workers = 2"))
    for generation, number in enumerate((3, 1, 2), 1):
        daemon.reload(web(one, main=f"workers = {number}"))
        daemon.wait_log(f"generation {generation} is gone")
        assert len(daemon.workers()) == number
        assert len(daemon.processes()) == 1 + number
        assert {ask(daemon.address()) for _ in range(10)} == {"one"}


def test_the_pid_file_and_the_log_move_with_the_file(start: Start, one: Echo, tmp_path: Path) -> None:
    def config(name: str) -> str:
        return f'[log]\nerror = "{tmp_path}/{name}.log"\n{web(one, main=f"pid_file = {str(tmp_path / name)!r}")}'

    daemon = start(config("first"))
    assert (tmp_path / "first").exists()
    daemon.reload(config("second"))
    assert (tmp_path / "second").read_text() == f"{daemon.pid}\n"
    assert not (tmp_path / "first").exists()
    assert "ready: generation 2" in (tmp_path / "second.log").read_text()
    assert "ready: generation 2" not in (tmp_path / "first.log").read_text()


def test_udp_clients_are_answered_after_a_reload_too(start: Start) -> None:
    with UdpEcho("one") as one:
        daemon = start(f"""
            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{one.address}"]
        """)
        clients = [daemon.udp_client() for _ in range(20)]
        for number in range(5):
            for client in clients:
                assert client.send(b"%d" % number).receive() == b"one %d" % number
            daemon.reload()
        for client in clients:
            assert client.send(b"last").receive() == b"one last"
            client.close()


# What must not change


def test_a_wrong_file_changes_nothing_and_every_problem_is_said(start: Start, one: Echo) -> None:
    daemon = start(web(one))
    before = daemon.processes()
    daemon.write('[listeners.web]\nbind = "127.0.0.1:0"\nupstrem = "web"\n[upstreams.web]\nservers = ["10.0.0.1:x"]\n')
    refuse(daemon)
    assert "listeners.web.upstrem: no such key; did you mean 'upstream'?" in daemon.log()
    assert re.search(r"l4d\.toml:5: upstreams\.web\.servers", daemon.log())
    assert daemon.processes() == before
    assert ask(daemon.address()) == "one"


@pytest.mark.parametrize("garbage", [b"\0\xff\xfe garbage", b"[[[[", b"x" * 1_000_000])
def test_garbage_changes_nothing(start: Start, one: Echo, garbage: bytes) -> None:
    daemon = start(web(one))
    before = daemon.processes()
    daemon.config.write_bytes(garbage)
    refuse(daemon)
    assert daemon.processes() == before
    assert ask(daemon.address()) == "one"


def test_a_file_that_is_gone_changes_nothing(start: Start, one: Echo) -> None:
    daemon = start(web(one))
    daemon.config.unlink()
    refuse(daemon)
    assert ask(daemon.address()) == "one"


def test_an_address_in_use_changes_nothing(start: Start, one: Echo, two: Echo, server: Server) -> None:
    daemon = start(web(one))
    before = daemon.processes()
    fine = free_port()
    daemon.write(f"""
        [listeners.web]
        bind = ["127.0.0.1:0", "127.0.0.1:{fine}", "{server.address}"]
        upstream = "web"

        [upstreams.web]
        servers = ["{two.address}"]
    """)
    refuse(daemon)
    assert f"cannot listen on tcp {server.address} (listeners.web): the address is in use" in daemon.log()
    assert ask(daemon.address()) == "one"
    assert daemon.processes() == before
    wait_until_refused(Inet("127.0.0.1", fine))
    server.close()
    daemon.reload()
    assert ask(server.address) == "two"


@needs_root
def test_a_user_who_does_not_exist_changes_nothing(start: Start, one: Echo) -> None:
    daemon = start(web(one))
    daemon.write(web(one, main='user = "nobody-by-that-name"'))
    refuse(daemon)
    assert "main.user: there is no user 'nobody-by-that-name' on this machine" in daemon.log()
    assert ask(daemon.address()) == "one"


def test_a_log_that_cannot_be_opened_changes_nothing(start: Start, one: Echo, tmp_path: Path) -> None:
    daemon = start(web(one))
    daemon.write(f'[log]\nerror = "{tmp_path}/no/such/folder/log"\n{web(one)}')
    refuse(daemon)  # and says so where it has always said it
    assert ask(daemon.address()) == "one"


def test_a_pid_file_that_cannot_be_written_changes_nothing(start: Start, one: Echo, tmp_path: Path) -> None:
    daemon = start(web(one, main=f'pid_file = "{tmp_path}/pid"'))
    daemon.write(web(one, main=f'pid_file = "{tmp_path}/no/such/folder/pid"'))
    refuse(daemon)
    assert (tmp_path / "pid").read_text() == f"{daemon.pid}\n"
    assert ask(daemon.address()) == "one"


def test_refused_reloads_leave_no_descriptor_behind(start: Start, one: Echo, server: Server) -> None:
    daemon = start(web(one))
    before = descriptors(daemon.pid)
    daemon.write(web(one).replace('"127.0.0.1:0"', f'["127.0.0.1:0", "127.0.0.1:{free_port()}", "{server.address}"]'))
    for times in range(1, 6):
        daemon.signal(SIGHUP)
        daemon.wait_log(FAILED, times)
    assert descriptors(daemon.pid) == before


# Under traffic


def test_nobody_is_refused_while_fifty_reloads_happen_in_five_seconds(start: Start, one: Echo) -> None:
    daemon = start(web(one))
    address = daemon.address()
    before = descriptors(daemon.pid)
    done = False

    def visit() -> int:
        visits = 0
        while not done:
            assert ask(address) == "one"
            visits += 1
        return visits

    with ThreadPoolExecutor() as threads:
        visitors = [threads.submit(visit) for _ in range(3)]
        try:
            begun = time.monotonic()
            for tick in range(50):
                daemon.signal(SIGHUP)
                while time.monotonic() < begun + (tick + 1) / 10:
                    assert ask(address) == "one"
        finally:
            done = True
        assert min(visitor.result() for visitor in visitors) > 20
    wait_until("the last generation alone is left", lambda: len(daemon.processes()) == 3)
    assert daemon.generation() > 5
    wait_until("no descriptor is left behind", lambda: descriptors(daemon.pid) == before)


def test_nobody_is_refused_while_the_number_of_workers_changes(start: Start, one: Echo) -> None:
    daemon = start(web(one, main="workers = 4"))
    address = daemon.address()
    done = False

    def visit() -> int:
        lost = 0
        while not done:
            lost += not is_served(address)
        return lost

    with ThreadPoolExecutor() as threads:
        visitors = [threads.submit(visit) for _ in range(3)]
        try:
            for number in (1, 4) * 8:
                daemon.reload(web(one, main=f"workers = {number}"))
                assert [ask(address) for _ in range(50)] == ["one"] * 50
        finally:
            done = True
        assert sum(visitor.result() for visitor in visitors) == 0


def test_connections_that_wait_in_a_frozen_workers_queue_are_served_by_its_successor(start: Start, one: Echo) -> None:
    daemon = start(web(one, main='drain_timeout = "500ms"'))
    frozen = daemon.workers()
    for worker in frozen:
        os.kill(worker, SIGSTOP)
    wait_until("they stand still", lambda: all(status(worker, "State").startswith("T") for worker in frozen))
    clients = [daemon.client().send(b"hello\n") for _ in range(20)]
    assert one.served == 0
    daemon.reload()
    for client in clients:
        with client:
            assert client.read_line() == b"one hello\n"
    wait_until("the frozen ones were killed", lambda: not any(map(is_alive, frozen)))


# Counters


def test_counters_go_on_over_reloads_and_deaths(start: Start, one: Echo) -> None:
    daemon = start('[log]\nlevel = "debug"\n' + web(one))
    address = daemon.address()

    def ten_more(so_far: int) -> None:
        assert [ask(address) for _ in range(10)] == ["one"] * 10
        daemon.wait_log("end=--", so_far + 10)  # and counted

    ten_more(0)
    daemon.reload()
    daemon.wait_log("generation 1 is gone")
    ten_more(10)
    victim = daemon.workers()[0]
    os.kill(victim, SIGKILL)
    wait_until("it is replaced", lambda: len(set(daemon.workers()) - {victim}) == 2)
    ten_more(20)
    daemon.stop()
    assert "listeners.web: 30 sessions, up=60 down=180 bytes" in daemon.log()


def refuse(daemon: Daemon) -> None:
    """HUP, until the daemon says that it has refused it."""
    daemon.signal(SIGHUP)
    daemon.wait_log(FAILED)


def is_served(address: Address) -> bool:
    try:
        return ask(address) == "one"
    except (AssertionError, ConnectionError):
        return False
