"""One instance per address and pid file; what stands in the way is said in one line."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.address import Inet
from tests.kit import Echo, Start, UdpEcho, UdpServer, ask, ask_udp, command, free_port, is_alive, wait_until


@pytest.fixture
def one() -> Iterator[Echo]:
    with Echo("one") as one:
        yield one


def test_a_second_instance_shares_no_udp_address_either(start: Start) -> None:
    with UdpEcho("one") as one:
        first = start(f"""
            [listeners.dns]
            bind = "127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{one.address}"]
        """)
        outcome = command("-c", first.config)
        assert outcome.returncode == 1
        assert outcome.stderr == f"l4d: udp {first.address()} is already served by l4d, pid {first.pid}\n"
        assert {ask_udp(first.address()) for _ in range(20)} == {"one"}


def test_a_second_instance_on_a_unix_socket_is_refused_and_leaves_it_alone(
    start: Start, one: Echo, tmp_path: Path
) -> None:
    first = start(f"""
        [listeners.web]
        bind = "unix:{tmp_path}/front"
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
    """)
    outcome = command("-c", first.config)
    assert outcome.returncode == 1
    assert f"already served by l4d, pid {first.pid}" in outcome.stderr
    assert ask(first.address()) == "one"


def test_two_instances_on_different_addresses_live_together(start: Start, one: Echo) -> None:
    toml = f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
    """
    first, second = start(toml), start(toml)
    assert ask(first.address()) == ask(second.address()) == "one"


def test_a_pid_file_belongs_to_one_instance(start: Start, one: Echo, tmp_path: Path) -> None:
    toml = f"""
        [main]
        pid_file = "{tmp_path}/l4d.pid"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
    """
    first = start(toml)
    outcome = command("-c", first.config)
    assert outcome.returncode == 1
    assert outcome.stderr == f"l4d: l4d is already running as pid {first.pid} (pid file {tmp_path}/l4d.pid)\n"
    assert (tmp_path / "l4d.pid").read_text() == f"{first.pid}\n"


def test_what_a_killed_instance_left_behind_stops_nobody(start: Start, one: Echo, tmp_path: Path) -> None:
    toml = f"""
        [main]
        pid_file = "{tmp_path}/l4d.pid"

        [listeners.web]
        bind = ["127.0.0.1:{free_port()}", "unix:{tmp_path}/front"]
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
    """
    first = start(toml)
    left_behind = [*first.processes()]
    first.kill()
    wait_until("all of it is gone", lambda: not any(map(is_alive, left_behind)))
    assert (tmp_path / "l4d.pid").read_text() == f"{first.pid}\n"
    assert (tmp_path / "front").is_socket()
    second = start(toml)
    assert (tmp_path / "l4d.pid").read_text() == f"{second.pid}\n"
    assert [ask(address) for address in second.addresses()] == ["one"] * 2


def test_a_pid_file_with_the_pid_of_somebody_else_is_stale(start: Start, one: Echo, tmp_path: Path) -> None:
    (tmp_path / "l4d.pid").write_text(f"{os.getpid()}\n and more\n")
    daemon = start(f"""
        [main]
        pid_file = "{tmp_path}/l4d.pid"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
    """)
    assert (tmp_path / "l4d.pid").read_text() == f"{daemon.pid}\n"


def test_every_address_that_cannot_be_had_is_a_line_with_its_holder(tmp_path: Path, one: Echo) -> None:
    with UdpServer() as other:
        outcome = run(
            tmp_path,
            f"""
            [listeners.web]
            bind = ["127.0.0.1:0", "{one.address}", "192.0.2.1:80"]
            upstream = "web"

            [listeners.dns]
            bind = "{other.address}"
            protocol = "udp"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}"]
            """,
        )
    assert outcome == (
        1,
        [
            f"l4d: cannot listen on tcp {one.address} (listeners.web): {in_use_by_us()}",
            "l4d: cannot listen on tcp 192.0.2.1:80 (listeners.web): this machine has no such address",
            f"l4d: cannot listen on udp {other.address} (listeners.dns): {in_use_by_us()}",
        ],
    )


def test_a_refused_start_leaves_nothing_behind(tmp_path: Path, one: Echo) -> None:
    free = free_port()
    status, _ = run(
        tmp_path,
        f"""
        [main]
        pid_file = "{tmp_path}/l4d.pid"

        [listeners.web]
        bind = ["127.0.0.1:{free}", "unix:{tmp_path}/front", "{one.address}"]
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
        """,
    )
    assert status == 1
    assert not (tmp_path / "l4d.pid").exists()
    assert not (tmp_path / "front").exists()
    with Echo("two", Inet("127.0.0.1", free)) as two:
        assert ask(two.address) == "two"


def test_a_path_that_is_no_socket_is_not_touched(tmp_path: Path, one: Echo) -> None:
    (tmp_path / "precious").write_text("data")
    status, [line] = run(
        tmp_path,
        f"""
        [listeners.web]
        bind = "unix:{tmp_path}/precious"
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
        """,
    )
    assert status == 1
    assert f"cannot listen on tcp unix:{tmp_path}/precious (listeners.web)" in line
    assert (tmp_path / "precious").read_text() == "data"


def test_a_pid_file_in_no_folder_is_a_line(tmp_path: Path, one: Echo) -> None:
    status, [line] = run(
        tmp_path,
        f"""
        [main]
        pid_file = "{tmp_path}/no/l4d.pid"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
        """,
    )
    assert (status, line) == (
        1,
        f"l4d: cannot write the pid file {tmp_path}/no/l4d.pid (main.pid_file): No such file or directory",
    )


def run(folder: Path, toml: str) -> tuple[int, list[str]]:
    """Start l4d on *toml*, which it refuses: the exit status, and what it says."""
    config = folder / "l4d.toml"
    config.write_text(toml)
    outcome = command("-c", config)
    return outcome.returncode, outcome.stderr.splitlines()


def in_use_by_us() -> str:
    name = Path(f"/proc/{os.getpid()}/comm").read_text("utf-8").strip()
    return f"the address is in use, by {name} (pid {os.getpid()})"
