"""The log is never worth a session: a disk that is full or a reader that sleeps costs lines, not traffic."""

import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP, SIGUSR1

import pytest

from tests.kit import Daemon, Echo, Start, ask, command, wait_until
from tests.kit.closing import Closing
from tests.kit.measure import status
from tests.kit.rights import NOBODY, needs_root


@pytest.fixture
def one() -> Iterator[Echo]:
    with Echo("one") as one:
        yield one


def logging_to(path: Path | str, server: Echo, main: str = "") -> str:
    return f"""
        [main]
        workers = 2
        {main}

        [log]
        error = "{path}"
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """


def test_a_file_is_appended_to(start: Start, one: Echo, tmp_path: Path) -> None:
    log = tmp_path / "l4d.log"
    log.write_text("what was there before\n")
    daemon = start(logging_to(log, one))
    ask(daemon.address())
    daemon.wait_log("end=--")
    assert log.read_text().startswith("what was there before\n")


def test_every_line_has_a_time_a_level_and_a_speaker(start: Start, one: Echo, tmp_path: Path) -> None:
    daemon = start(logging_to(tmp_path / "l4d.log", one))
    ask(daemon.address())
    daemon.wait_log("end=--")
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info) (master|worker [01] generation 1): \S.*")
    lines = (tmp_path / "l4d.log").read_text().splitlines()
    assert [line for line in lines if not form.fullmatch(line)] == []


def test_usr1_begins_a_new_file_for_all_processes(start: Start, one: Echo, tmp_path: Path) -> None:
    log, old = tmp_path / "l4d.log", tmp_path / "l4d.log.1"
    daemon = start(logging_to(log, one))
    address = daemon.address()
    log.rename(old)
    ask(address)
    wait_until("the renamed file is still written", lambda: "end=--" in old.read_text())
    reopen(daemon, log)
    length = old.stat().st_size
    for _ in range(20):
        ask(address)
    wait_until("both workers write the new file", lambda: log.read_text().count("end=--") == 20)
    assert "worker 0" in log.read_text()
    assert "worker 1" in log.read_text()
    assert old.stat().st_size == length


@needs_root
def test_usr1_works_for_workers_that_may_not_open_the_file(start: Start, one: Echo, tmp_path: Path) -> None:
    folder = tmp_path / "of-root"
    folder.mkdir(mode=0o700)
    log = folder / "l4d.log"
    daemon = start(logging_to(log, one, main='user = "nobody"'))
    assert {status(worker, "Uid").split()[1] for worker in daemon.workers()} == {str(NOBODY)}
    address = daemon.address()
    log.rename(folder / "l4d.log.1")
    reopen(daemon, log)
    ask(address)
    wait_until("a worker writes the new file", lambda: "end=--" in log.read_text())


def test_a_file_that_cannot_be_reopened_is_said_and_the_old_one_goes_on(
    start: Start, one: Echo, tmp_path: Path
) -> None:
    folder, moved = tmp_path / "logs", tmp_path / "logs.old"
    folder.mkdir()
    daemon = start(logging_to(folder / "l4d.log", one))
    address = daemon.address()
    folder.rename(moved)
    daemon.signal(SIGUSR1)
    log = moved / "l4d.log"
    wait_until("it is said", lambda: f"cannot open the log {folder}/l4d.log (log.error)" in log.read_text())
    ask(address)
    wait_until("the old file goes on", lambda: "end=--" in log.read_text())


def test_a_full_disk_costs_lines_and_no_session(start: Start, one: Echo, tmp_path: Path) -> None:
    log = tmp_path / "l4d.log"
    daemon = start(logging_to(log, one))
    full = log.stat().st_size + 50  # the next line is cut in the middle
    for pid in daemon.processes():
        limit_files(pid, full)
    assert [ask(daemon.address()) for _ in range(50)] == ["one"] * 50
    assert log.stat().st_size == full
    for pid in daemon.processes():
        limit_files(pid, resource.RLIM_INFINITY)
    ask(daemon.address())
    daemon.wait_log("end=--")
    daemon.stop()
    told = re.search(r"(\d+) log lines could not be written", log.read_text())
    assert told, "the lost lines were not counted"
    assert 45 <= int(told[1]) <= 50, "but for the last, which may have come when there was space again"


def test_a_reader_that_sleeps_costs_lines_and_no_session(start: Start, one: Echo, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Fifo(fifo) as reader:
        daemon = start(logging_to(tmp_path / "l4d.log", one))
        address = daemon.address()
        daemon.config.write_text(logging_to(fifo, one))
        daemon.signal(SIGHUP)
        reader.wait_for("ready: generation 2")
        assert [ask(address) for _ in range(1000)] == ["one"] * 1000  # three times what the FIFO holds
        reader.read()
        ask(address)
        reader.wait_for("end=--")
    assert [ask(address) for _ in range(10)] == ["one"] * 10, "nobody reads any more"


def test_a_fifo_without_a_reader_is_refused_at_once(one: Echo, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "l4d.toml").write_text(logging_to(tmp_path / "fifo", one))
    outcome = command("-c", tmp_path / "l4d.toml")
    assert outcome.returncode == 1
    assert "a FIFO needs a reader first" in outcome.stderr


def test_a_level_leaves_out_what_is_quieter(start: Start, one: Echo) -> None:
    daemon = start(f"""
        [log]
        level = "info"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{one.address}"]
    """)
    for _ in range(10):
        ask(daemon.address())
    daemon.stop()
    assert "debug" not in daemon.log()
    assert "listeners.web: 10 sessions" in daemon.log()


class Fifo(Closing):
    """A log's reader, who reads when told to."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self._fd)

    def read(self) -> str:
        """What is in it now."""
        data = b""
        try:
            while chunk := os.read(self._fd, 1 << 16):
                data += chunk
        except BlockingIOError:
            pass
        return data.decode()

    def wait_for(self, words: str) -> None:
        wait_until(f"the log says {words!r}", lambda: words in self.read())


def limit_files(pid: int, size: int) -> None:
    """Let the process write no file beyond *size*: as on a full disk a write is cut short, and the next one fails."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def reopen(daemon: Daemon, log: Path) -> None:
    """USR1, until the master has a new file and the workers too."""
    daemon.signal(SIGUSR1)

    def have_all_processes_the_new_file() -> bool:
        return log.exists() and all(opened(pid, log) for pid in daemon.processes())

    wait_until("all processes have the new file", have_all_processes_the_new_file)


def opened(pid: int, path: Path | str) -> bool:
    """Whether the process has *path* open."""
    return any(os.readlink(fd) == str(path) for fd in Path(f"/proc/{pid}/fd").iterdir())
