"""The access log: each session is one line, wherever it is written, and whichever workers it lived in."""

import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGQUIT

import pytest

from l4d.address import Inet, Unix
from l4d.config.template import FIELDS
from tests.kit import Daemon, Echo, Server, Start, UdpEcho, ask, ask_udp, command, free_port, wait_until
from tests.kit.access_log import AccessLog, Reader, logging
from tests.kit.background import Background
from tests.kit.command import L4D

TEXT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z web tcp 127\.0\.0\.1:\d+ -> web/127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ "
    r"up=2 down=6 connect=\d+ms total=\d+ms tries=1 end=-- finished"
)


@pytest.fixture
def one() -> Iterator[Echo]:
    with Echo("one") as one:
        yield one


@pytest.fixture
def log(tmp_path: Path) -> AccessLog:
    return AccessLog(tmp_path / "access.log")


def opened(pid: int, path: Path) -> int:
    """How often the process has *path* open."""
    return [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()].count(str(path))


def ask_often(daemon: Daemon, number: int, listener: str = "web") -> None:
    """So many sessions, some at a time."""
    with ThreadPoolExecutor(8) as many:
        assert set(many.map(ask, [daemon.address(listener)] * number)) == {"one"}


# What is in it


def test_every_session_is_one_object_of_json(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    ask_often(daemon, 300)
    records = log.wait(300)
    assert all(tuple(record) == FIELDS for record in records)
    assert {record["worker"] for record in records} == {0, 1}
    assert len({record["id"] for record in records}) == 300
    same = {"listener": "web", "protocol": "tcp", "local": str(daemon.address()), "upstream": "web", "generation": 1}
    counted = {"bytes_up": 2, "bytes_down": 6, "datagrams_up": 0, "datagrams_down": 0, "tries": 1}
    for record in records:
        assert record.items() >= {**same, **counted, "end": "--", "end_text": "finished"}.items()
        assert record["server"] == record["server_name"] == str(one.address)
        assert 0 <= record["connect_ms"] <= record["duration_ms"]
    daemon.stop()
    assert "listeners.web: 300 sessions" in daemon.log()
    assert "could not be written" not in daemon.log()


def test_text_is_the_form_of_the_manual(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address, form="text"))
    ask_often(daemon, 50)
    wait_until("all are logged", lambda: len(log.lines()) >= 50)
    assert [line for line in log.lines() if not TEXT.fullmatch(line)] == []


def test_a_template_is_what_the_operator_wants(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address, form="$client|$server_name|$bytes_up $$ $duration|$end"))
    with daemon.client() as client:
        client.send(b"?\n").read_line()
        source = client.local
    wait_until("it is logged", log.lines)
    [line] = log.lines()
    assert re.fullmatch(rf"{re.escape(str(source))}\|{re.escape(str(one.address))}\|2 \$ \d+ms\|--", line)


@pytest.mark.parametrize("form", ["text", "json", "$client"])
def test_a_client_cannot_make_two_lines_of_its_session(
    start: Start, one: Echo, log: AccessLog, tmp_path: Path, form: str
) -> None:
    start(logging(log.path, one.address, form=form).replace("127.0.0.1:0", f"unix:{tmp_path}/front"))
    for name in (f'{tmp_path}/a\nb "\\'.encode(), f"{tmp_path}/\x80".encode() + b"\xff", b"\0x\n" + os.urandom(4)):
        with socket.socket(socket.AF_UNIX) as client:
            client.bind(name)
            client.connect(f"{tmp_path}/front")
            client.sendall(b"?\n")
            client.recv(100)
    wait_until("all are logged", lambda: len(log.lines()) >= 3)
    assert len(log.lines()) == 3
    assert all(line.isprintable() and line.isascii() for line in log.lines())
    if form == "json":
        assert f'unix:{tmp_path}/a\nb "\\' in {record["client"] for record in log.records()}


def test_a_session_that_nobody_took_tells_who_was_asked_last(start: Start, log: AccessLog) -> None:
    daemon = start(logging(log.path, Unix("/nowhere/socket")))
    with daemon.client() as client:
        client.read_all()
    [record] = log.wait(1)
    assert (record["end"], record["server"], record["tries"]) == ("SC", "unix:/nowhere/socket", 1)
    assert record["connect_ms"] is None


def test_udp_flows_are_sessions_too(start: Start, log: AccessLog) -> None:
    with UdpEcho("one") as dns:
        daemon = start(f"""
            [log]
            access = "{log.path}"
            format = "json"

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"
            responses = 1

            [upstreams.dns]
            servers = ["{dns.address}"]
        """)
        for _ in range(20):
            assert ask_udp(daemon.address()) == "one"
        records = log.wait(20)
    told = {"protocol": "udp", "datagrams_up": 1, "datagrams_down": 1, "bytes_up": 1, "bytes_down": 5, "end": "UR"}
    assert all(record.items() >= told.items() for record in records)
    assert {record["local"] for record in records} == {str(daemon.address())}


# Which listeners, and where


def test_a_listener_may_have_its_own_log_or_none(start: Start, one: Echo, log: AccessLog, tmp_path: Path) -> None:
    own = AccessLog(tmp_path / "own.log")
    daemon = start(f"""
        [log]
        access = "{log.path}"
        format = "json"

        [defaults.listeners]
        upstream = "web"
        bind = "127.0.0.1:0"

        [listeners.web]
        [listeners.same]
        access_log = "{log.path}"
        [listeners.own]
        access_log = "{own.path}"
        [listeners.off]
        access_log = "off"

        [upstreams.web]
        servers = ["{one.address}"]
    """)
    for listener in ("web", "same", "own", "off"):
        ask_often(daemon, 5, listener)
    assert {record["listener"] for record in own.wait(5)} == {"own"}
    assert {record["listener"] for record in log.wait(10)} == {"web", "same"}
    for worker in daemon.workers():
        assert opened(worker, log.path) == 1


def test_standard_output_may_be_a_pipe_that_all_workers_write(one: Echo, tmp_path: Path) -> None:
    with Reader(tmp_path / "pipe") as reader:
        line = ("sh", "-c", f'exec "$@" > {tmp_path}/pipe', "sh", *L4D)
        daemon = Daemon(logging("stdout", one.address), tmp_path, program=line)
        try:
            for number in range(1, 6):
                ask_often(daemon, 200)
                assert {record["worker"] for record in reader.wait(200 * number)} == {0, 1}
            daemon.stop()
        finally:
            daemon.kill()


def test_a_daemon_has_no_standard_output(one: Echo, tmp_path: Path) -> None:
    port = free_port()
    toml = logging("stdout", one.address, listener='access_log = "stderr"').replace("127.0.0.1:0", f"127.0.0.1:{port}")
    with Background(toml, tmp_path) as daemon:
        said = 'is "{}", and a daemon has none: nothing is logged there'
        assert f"log.access {said.format('stdout')}" in daemon.started.stderr
        assert f"listeners.web.access_log {said.format('stderr')}" in daemon.started.stderr
        assert daemon.started.stdout == "", "and whoever reads its pipe saw its end"
        assert ask(Inet("127.0.0.1", port)) == "one"
        for pid in (daemon.pid, *daemon.workers()):
            assert [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)] == [os.devnull] * 3


# What changes while it runs


def test_a_session_that_moves_is_one_line_with_all_it_was(start: Start, server: Server, log: AccessLog) -> None:
    daemon = start(logging(log.path, server.address))
    with daemon.client() as client, server.accept() as peer:
        source = client.local
        for _ in range(3):
            client.send(b"question")
            assert peer.read(8) == b"question"
            daemon.hand_over()
        peer.finish()
        client.finish()
        assert client.read_all() == b""
    [record] = log.wait(1)
    assert (record["bytes_up"], record["bytes_down"], record["generation"]) == (24, 0, 4)
    assert record["client"] == str(source)
    assert record["duration_ms"] > record["connect_ms"]


def test_a_flow_that_moves_is_one_line(start: Start, log: AccessLog) -> None:
    with UdpEcho("one") as dns:
        daemon = start(f"""
            [log]
            access = "{log.path}"
            format = "json"

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{dns.address}"]
        """)
        with daemon.udp_client() as client:
            for _ in range(3):
                assert client.send(b"?").receive() == b"one ?"
                daemon.hand_over()
            assert client.send(b"?").receive() == b"one ?"
            daemon.stop()
    [record] = log.records()
    assert (record["datagrams_up"], record["datagrams_down"], record["end"]) == (4, 4, "XD")


def test_a_reload_may_change_where_and_how_it_is_written(
    start: Start, one: Echo, log: AccessLog, tmp_path: Path
) -> None:
    daemon = start(logging("off", one.address))
    ask_often(daemon, 10)
    daemon.hand_over(logging(log.path, one.address))
    ask_often(daemon, 10)
    assert {record["generation"] for record in log.wait(10)} == {2}
    second = AccessLog(tmp_path / "second.log")
    daemon.hand_over(logging(second.path, one.address, form="text"))
    ask_often(daemon, 10)
    wait_until("they are logged", lambda: len(second.lines()) == 10)
    assert all(map(TEXT.fullmatch, second.lines()))
    assert len(log.lines()) == 10
    assert not any(opened(pid, log.path) for pid in daemon.processes())
    daemon.hand_over(logging("off", one.address))
    ask_often(daemon, 10)
    assert not any(opened(pid, second.path) for pid in daemon.processes())
    assert len(second.lines()) == 10


def test_a_session_of_a_listener_that_is_gone_is_logged_where_all_are(
    start: Start, server: Server, log: AccessLog, tmp_path: Path
) -> None:
    own = tmp_path / "own.log"
    daemon = start(logging(log.path, server.address, listener=f'access_log = "{own}"'))
    with daemon.client() as client, server.accept():
        daemon.hand_over(logging(log.path, server.address).replace("[listeners.web]", "[listeners.other]"))
        client.reset()
        [record] = log.wait(1)
    assert (record["listener"], record["end"]) == ("web", "CD")
    assert own.read_text() == ""


@pytest.mark.parametrize("handover", [True, False])
def test_workers_that_leave_write_what_they_have(start: Start, one: Echo, log: AccessLog, handover: bool) -> None:
    toml = logging(log.path, one.address).replace("workers = 2", f"workers = 2\nhandover = {str(handover).lower()}")
    daemon = start(toml)
    for number in range(1, 6):
        ask_often(daemon, 40)
        daemon.hand_over()
        assert len(log.lines()) == 40 * number, "not one waits for its time when the workers are gone"


def test_sessions_that_are_ended_by_a_fast_stop_are_logged(start: Start, server: Server, log: AccessLog) -> None:
    daemon = start(logging(log.path, server.address))
    clients = [daemon.client() for _ in range(30)]
    peers = [server.accept() for _ in clients]
    daemon.stop()
    assert [record["end"] for record in log.records()] == ["XD"] * 30
    for end in (*clients, *peers):
        end.close()


def test_sessions_that_end_during_a_graceful_stop_are_logged(start: Start, server: Server, log: AccessLog) -> None:
    daemon = start(logging(log.path, server.address))
    with daemon.client() as client, server.accept() as peer:
        daemon.signal(SIGQUIT)
        daemon.wait_log("stopping gracefully")
        client.send(b"goodbye").finish()
        assert peer.read_all() == b"goodbye"
    daemon.wait()
    [record] = log.records()
    assert (record["end"], record["bytes_up"]) == ("--", 7)


def test_a_worker_that_was_killed_has_lost_no_line_but_its_last(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    ask_often(daemon, 100)
    log.wait(100)
    before = daemon.workers()
    for pid in before:
        os.kill(pid, SIGKILL)
    wait_until("there are others", lambda: len(daemon.workers()) == 2 and not set(daemon.workers()) & set(before))
    ask_often(daemon, 100)
    log.wait(200)


# What cannot be opened


def test_what_cannot_be_opened_is_told_with_its_key(one: Echo, tmp_path: Path) -> None:
    config = tmp_path / "l4d.toml"
    config.write_text(logging("/nowhere/all.log", one.address, listener='access_log = "/nowhere/own.log"'))
    outcome = command("-t", "-c", config)
    assert outcome.returncode == 1
    assert "cannot open the log /nowhere/all.log (log.access): No such file or directory" in outcome.stderr
    assert "cannot open the log /nowhere/own.log (listeners.web.access_log): No such" in outcome.stderr


def test_a_reload_to_a_log_that_cannot_be_opened_changes_nothing(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    daemon.write(logging("/nowhere/access.log", one.address))
    daemon.signal(SIGHUP)
    daemon.wait_log("cannot open the log /nowhere/access.log (log.access)")
    daemon.wait_log("the reload failed")
    ask_often(daemon, 10)
    log.wait(10)


def test_a_template_with_a_wrong_name_is_a_problem_with_a_way_out(one: Echo, tmp_path: Path) -> None:
    config = tmp_path / "l4d.toml"
    config.write_text(logging("off", one.address, form="$clinet"))
    outcome = command("-t", "-c", config)
    assert outcome.returncode == 78
    assert "log.format: there is no '$clinet'; did you mean 'client'?" in outcome.stderr
