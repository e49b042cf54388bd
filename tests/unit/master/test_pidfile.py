"""The pid file, held by a lock."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from l4d.errors import StartError
from l4d.master.pidfile import PidFile, find_running
from tests.kit.processes import descriptors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "l4d.pid"


@pytest.fixture
def running(path: Path) -> Iterator[PidFile]:
    """A master that has taken the lock, and has not written its pid yet."""
    with ExitStack() as stack:
        file = PidFile(str(path))
        stack.callback(file.remove)
        yield file


def refusal(path: Path | str) -> str:
    with pytest.raises(StartError) as caught:
        find_running(str(path))
    return str(caught.value)


def test_a_running_master_is_found_by_its_pid_file(running: PidFile, path: Path) -> None:
    running.write(4711)
    assert find_running(str(path)) == 4711
    assert path.read_text("utf-8") == "4711\n"


def test_a_new_pid_stands_alone_in_the_file(running: PidFile, path: Path) -> None:
    running.write(1234567)
    running.write(8)
    assert path.read_text("utf-8") == "8\n"


def test_a_second_instance_is_told_who_runs(running: PidFile, path: Path) -> None:
    running.write(4711)
    before = descriptors(os.getpid())
    with pytest.raises(StartError, match="already running as pid 4711"):
        PidFile(str(path))
    assert descriptors(os.getpid()) == before


def test_a_second_instance_that_is_too_early_is_told_that_one_starts(running: PidFile, path: Path) -> None:
    before = descriptors(os.getpid())
    with pytest.raises(StartError, match="is starting"):
        PidFile(str(path))
    assert descriptors(os.getpid()) == before


def test_a_master_that_is_starting_has_no_pid_yet(running: PidFile, path: Path) -> None:
    assert "is starting" in refusal(path)


def test_a_stale_file_is_no_hindrance_and_its_pid_is_nobodys(path: Path) -> None:
    path.write_text("4711\n", "utf-8")
    assert "stale" in refusal(path)
    starting = PidFile(str(path))
    try:
        assert "is starting" in refusal(path)
    finally:
        starting.remove()


def test_a_master_that_leaves_takes_its_file_along(path: Path) -> None:
    file = PidFile(str(path))
    file.write(4711)
    file.remove()
    assert not path.exists()
    assert "No such file" in refusal(path)


def test_a_file_that_somebody_else_removed_does_not_hold_up_the_leaving(path: Path) -> None:
    file = PidFile(str(path))
    path.unlink()
    file.remove()
    assert not path.exists()


def test_a_pid_file_that_cannot_be_made_is_named_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot write the pid file .*nowhere/l4d.pid \(main.pid_file\): No such"):
        PidFile(str(tmp_path / "nowhere" / "l4d.pid"))


def test_without_a_pid_file_nobody_can_be_found() -> None:
    assert "main.pid_file is not set" in refusal("")


def test_a_full_disk_is_not_worth_a_stop() -> None:
    full = PidFile("/dev/full")
    full.write(4711)
    os.close(full.fd)
