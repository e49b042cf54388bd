"""USR1 opens the access logs anew, and not a line is lost."""

import os
from collections.abc import Iterator
from pathlib import Path
from signal import SIGUSR1

import pytest

from tests.kit import Daemon, Echo, Server, Start, ask, command, wait_until
from tests.kit.access_log import AccessLog, Reader, logging
from tests.kit.rights import needs_root
from tests.kit.visitors import Visitors


@pytest.fixture
def one() -> Iterator[Echo]:
    with Echo("one") as one:
        yield one


@pytest.fixture
def log(tmp_path: Path) -> AccessLog:
    return AccessLog(tmp_path / "access.log")


def reopen(daemon: Daemon, times: int = 1) -> None:
    daemon.signal(SIGUSR1)
    daemon.wait_log("access logs reopened: ", times)


def test_rotation_under_load_loses_no_line(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    rotated: list[AccessLog] = []
    with Visitors(daemon, at_once=8) as visitors:
        for number in range(1, 11):
            visitors.wait(50)
            old = AccessLog(log.path.with_suffix(f".{number}"))
            log.path.rename(old.path)
            rotated.append(old)
            reopen(daemon, number)
    daemon.stop()
    assert not visitors.failures
    records = [record for each in (*rotated, log) for record in each.records()]
    assert len(records) == len({record["id"] for record in records}) == len(visitors.answers)
    assert all(old.lines() for old in rotated)
    assert "could not be written" not in daemon.log()


def test_rotation_and_reloads_together_lose_no_line(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    rotated: list[AccessLog] = []
    with Visitors(daemon, at_once=4) as visitors:
        for number in range(1, 6):
            visitors.wait(20)
            old = AccessLog(log.path.with_suffix(f".{number}"))
            log.path.rename(old.path)
            rotated.append(old)
            daemon.reload()
            reopen(daemon, number)
    daemon.stop()
    assert not visitors.failures
    records = [record for each in (*rotated, log) for record in each.records()]
    assert len(records) == len({record["id"] for record in records}) == len(visitors.answers)


def test_an_upgrade_loses_no_line(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    with Visitors(daemon, at_once=4) as visitors:
        visitors.wait(50)
        daemon.upgrade()
        visitors.wait(50)
        log.path.rename(log.path.with_suffix(".1"))
        reopen(daemon)
        visitors.wait(50)
    daemon.stop()
    assert not visitors.failures
    records = [*AccessLog(log.path.with_suffix(".1")).records(), *log.records()]
    assert len(records) == len({record["id"] for record in records}) == len(visitors.answers)
    assert {record["generation"] for record in records} == {1, 2}


def test_error_log_and_access_log_may_be_one_file(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address, form="text", error=str(log.path)))
    address = daemon.address()
    ask(address)
    wait_until("it is logged", lambda: "end=--" in log.path.read_text())
    old = log.path.with_suffix(".1")
    log.path.rename(old)
    daemon.signal(SIGUSR1)
    wait_until("both are reopened", lambda: log.path.exists() and "access logs reopened" in log.path.read_text())
    before = old.read_text()
    for _ in range(20):
        ask(address)
    wait_until("all are logged", lambda: log.path.read_text().count("end=--") == 20)
    assert old.read_text() == before
    assert "ready: generation 1" in before


def test_workers_that_leave_go_on_in_the_new_file(start: Start, server: Server, log: AccessLog) -> None:
    toml = logging(log.path, server.address).replace("workers = 2", "workers = 1\nhandover = false")
    daemon = start(toml)
    with daemon.client() as client, server.accept():
        daemon.reload()
        log.path.rename(log.path.with_suffix(".1"))
        reopen(daemon)
        client.reset()
        [record] = log.wait(1)
    assert record["generation"] == 1
    assert log.path.with_suffix(".1").read_text() == ""


def test_every_log_of_every_listener_is_reopened(start: Start, one: Echo, log: AccessLog, tmp_path: Path) -> None:
    own = AccessLog(tmp_path / "own.log")
    daemon = start(logging(log.path, one.address, listener=f'access_log = "{own.path}"'))
    ask(daemon.address())
    own.wait(1)
    own.path.unlink()
    log.path.unlink()
    reopen(daemon)
    assert log.path.exists()
    ask(daemon.address())
    own.wait(1)


def test_the_command_reopens_them_too(start: Start, one: Echo, log: AccessLog, tmp_path: Path) -> None:
    toml = logging(log.path, one.address).replace("workers = 2", f'workers = 2\npid_file = "{tmp_path}/pid"')
    daemon = start(toml)
    log.path.unlink()
    assert command("-s", "reopen", "-c", daemon.config).returncode == 0
    daemon.wait_log("access logs reopened")
    ask(daemon.address())
    log.wait(1)


@needs_root
def test_it_works_for_workers_that_may_not_open_the_file(start: Start, one: Echo, tmp_path: Path) -> None:
    folder = tmp_path / "of-root"
    folder.mkdir(mode=0o700)
    log = AccessLog(folder / "access.log")
    daemon = start(logging(log.path, one.address).replace("workers = 2", 'workers = 2\nuser = "nobody"'))
    ask(daemon.address())
    log.wait(1)
    log.path.unlink()
    reopen(daemon)
    for _ in range(20):
        ask(daemon.address())
    assert {record["worker"] for record in log.wait(20)} == {0, 1}


def test_a_log_that_cannot_be_reopened_is_said_and_the_old_one_goes_on(start: Start, one: Echo, tmp_path: Path) -> None:
    folder, moved = tmp_path / "logs", tmp_path / "logs.old"
    folder.mkdir()
    daemon = start(logging(folder / "access.log", one.address))
    folder.rename(moved)
    daemon.signal(SIGUSR1)
    daemon.wait_log(f"cannot open the log {folder}/access.log (log.access): No such file or directory")
    ask(daemon.address())
    AccessLog(moved / "access.log").wait(1)
    assert "access logs reopened" not in daemon.log()


def test_a_file_may_become_a_fifo(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    ask(daemon.address())
    log.wait(1)
    log.path.unlink()
    with Reader(log.path) as reader:
        reopen(daemon)
        for _ in range(20):
            ask(daemon.address())
        reader.wait(20)
        daemon.stop()


def test_reopening_leaves_no_descriptor_behind(start: Start, one: Echo, log: AccessLog) -> None:
    daemon = start(logging(log.path, one.address))
    pids = (daemon.pid, *daemon.workers())

    def descriptors() -> list[int]:
        return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]

    before = descriptors()
    for number in range(1, 6):
        reopen(daemon, number)
        ask(daemon.address())
        log.wait(number)
        before = before if number > 1 else descriptors()  # by now every worker has called control
    wait_until("no descriptor is left behind", lambda: descriptors() == before)
