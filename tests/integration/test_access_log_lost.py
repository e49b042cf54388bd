"""What an access log loses when it cannot be written: whole lines, each of them counted, and never a session."""

import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit import Daemon, Echo, Start, ask, command, wait_until
from tests.kit.access_log import AccessLog, Reader, logging
from tests.kit.command import L4D
from tests.kit.rights import needs_root

LONG = "x" * 900
"""In a template: so that little traffic fills much."""


@pytest.fixture
def one() -> Iterator[Echo]:
    with Echo("one") as one:
        yield one


def ask_often(daemon: Daemon, number: int) -> None:
    with ThreadPoolExecutor(8) as many:
        assert set(many.map(ask, [daemon.address()] * number)) == {"one"}


def lost(daemon: Daemon) -> int:
    """How many lines the master has counted as lost, which it says when it has stopped."""
    told = re.search(r"(\d+) log lines could not be written", daemon.log())
    return int(told[1]) if told else 0


class SmallDisk:
    """A file system of 64 KiB that only this l4d sees, in a mount namespace of its own."""

    def __init__(self, folder: Path) -> None:
        self.mounted = folder / "disk"
        self.mounted.mkdir()
        mount = f'mount -t tmpfs -o size=64k tmpfs {self.mounted} && exec "$@"'
        self.program = ("unshare", "-m", "sh", "-c", mount, "sh", *L4D)

    def seen_by(self, daemon: Daemon) -> Path:
        """The same folder, from outside."""
        return Path(f"/proc/{daemon.pid}/root{self.mounted}")


@needs_root
def test_a_full_disk_costs_counted_lines_and_no_session_and_no_line_joins_another(one: Echo, tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path)
    toml = logging(disk.mounted / "access.log", one.address, form='{"id":"$id","pad":"' + LONG + '"}')
    daemon = Daemon(toml.replace('"{', "'{").replace('}"', "}'"), tmp_path, program=disk.program)
    try:
        folder = disk.seen_by(daemon)
        log = AccessLog(folder / "access.log")
        filler = folder / "filler"
        filler.write_bytes(bytes(16 << 10))
        ask_often(daemon, 40)
        wait_until("they are logged", lambda: len(log.lines()) == 40)
        ask_often(daemon, 200)
        wait_until("the disk is full", lambda: os.statvfs(folder).f_bavail == 0)
        assert not log.path.read_bytes().endswith(b"\n"), "a line was cut"
        filler.unlink()
        wait_until("what waited is written", lambda: os.statvfs(folder).f_bavail == 0)
        log.path.rename(folder / "access.log.1")
        first = (folder / "access.log.1").read_bytes()
        os.truncate(folder / "access.log.1", 0)
        wait_until("there is space again", lambda: (folder / "access.log.1").stat().st_size > 16 << 10)
        second = (folder / "access.log.1").read_bytes()
        daemon.stop()
    finally:
        daemon.kill()
    whole, cut = apart(first)
    assert 1 <= cut <= 4
    assert whole > 40
    again, _cut = apart(second)
    assert again > 10
    assert lost(daemon) > 0


def apart(data: bytes) -> tuple[int, int]:
    """How many lines are whole, and how many cut. A line that joins another is neither."""
    whole = cut = 0
    for line in data.split(b"\n"):
        if re.fullmatch(rb'\{"id":"[0-9a-f]{16}","pad":"x{900}"\}', line):
            whole += 1
        elif line:
            assert len(re.findall(rb"id", line)) <= 1, line
            cut += 1
    return whole, cut


def test_a_device_that_is_always_full_costs_every_line_and_no_session(start: Start, one: Echo) -> None:
    daemon = start(logging("/dev/full", one.address))
    ask_often(daemon, 100)
    daemon.stop()
    assert lost(daemon) == 100


def test_a_fifo_whose_reader_sleeps_loses_nothing_up_to_a_bound(start: Start, one: Echo, tmp_path: Path) -> None:
    """The FIFO holds 64 KiB, and each worker a megabyte."""
    with Reader(tmp_path / "fifo") as reader:
        daemon = start(logging(tmp_path / "fifo", one.address))
        ask_often(daemon, 1500)
        assert len({record["id"] for record in reader.wait(1500)}) == 1500
        daemon.stop()
        assert not lost(daemon)


def test_a_fifo_whose_reader_sleeps_on_costs_counted_lines_and_no_session(
    start: Start, one: Echo, tmp_path: Path
) -> None:
    number = 3500  # of a kilobyte each: two workers keep some 2000
    with Reader(tmp_path / "fifo") as reader:
        daemon = start(logging(tmp_path / "fifo", one.address, form=f"$id {LONG}"))
        ask_often(daemon, number)
        first = len(reader.read())
        assert 0 < first < number
        wait_until("what waited has come", lambda: len(reader.read()) > 1500)
        daemon.stop()
        read = reader.read()
    assert all(re.fullmatch(rf"[0-9a-f]{{16}} {LONG}", line) for line in read)
    assert len(read) + lost(daemon) == number
    assert lost(daemon) > 500


def test_a_fifo_whose_reader_goes_and_comes_back_loses_nothing(start: Start, one: Echo, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    with Reader(fifo) as reader:
        daemon = start(logging(fifo, one.address))
        ask_often(daemon, 20)
        reader.wait(20)
    ask_often(daemon, 50)
    with Reader(fifo) as reader:
        reader.wait(50)
        daemon.stop()
    assert not lost(daemon)


def test_a_fifo_that_nobody_reads_any_more_costs_counted_lines(start: Start, one: Echo, tmp_path: Path) -> None:
    with Reader(tmp_path / "fifo"):
        daemon = start(logging(tmp_path / "fifo", one.address))
    ask_often(daemon, 50)
    daemon.stop()
    assert lost(daemon) == 50


def test_a_fifo_without_a_reader_is_refused_at_once(one: Echo, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "l4d.toml").write_text(logging(tmp_path / "fifo", one.address))
    outcome = command("-c", tmp_path / "l4d.toml")
    assert outcome.returncode == 1
    assert "(log.access): No such device or address; a FIFO needs a reader first" in outcome.stderr


class Syslog:
    """A log daemon at /dev/log, which only this l4d sees, in a mount namespace of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "dev" / "log"
        self.path.parent.mkdir()
        mounts = " && ".join(
            [
                *(f"touch {folder}/dev/{name} && mount --bind /dev/{name} {folder}/dev/{name}" for name in DEVICES),
                f"mkdir -p {folder}/dev/shm && mount -t tmpfs tmpfs {folder}/dev/shm",
                f"mount --rbind {folder}/dev /dev",
            ]
        )
        self.program = ("unshare", "-m", "sh", "-c", f'{mounts} && exec "$@"', "sh", *L4D)
        self.come_back()

    def come_back(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)
        self.read: list[str] = []

    def vanish(self) -> None:
        self._socket.close()
        self.path.unlink()

    def wait(self, number: int) -> list[str]:
        """Until so many lines came: these."""
        wait_until(f"{number} lines came", lambda: self._hear() >= number)
        assert len(self.read) == number
        return self.read

    def _hear(self) -> int:
        try:
            while True:
                self.read.append(self._socket.recv(1 << 16).decode())
        except BlockingIOError:
            return len(self.read)


DEVICES = ("null", "urandom", "random", "zero", "full")


@needs_root
def test_a_syslog_that_vanishes_and_comes_back_costs_nothing_but_time(one: Echo, tmp_path: Path) -> None:
    syslog = Syslog(tmp_path)
    daemon = Daemon(logging("syslog", one.address), tmp_path, program=syslog.program)
    try:
        ask_often(daemon, 100)
        form = re.compile(r"<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d l4d\[\d+\]: (\{.*\})")
        told = [form.fullmatch(line) for line in syslog.wait(100)]
        assert len({json.loads(line[1])["id"] for line in told if line}) == 100
        syslog.vanish()
        ask_often(daemon, 100)
        syslog.come_back()
        syslog.wait(100)
        syslog.vanish()
        ask_often(daemon, 30)
        daemon.stop()
        assert lost(daemon) == 30
    finally:
        daemon.kill()


def test_a_log_is_not_for_everybody_to_read(start: Start, one: Echo, tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "access.log")
    daemon = start(logging(log.path, one.address))
    ask_often(daemon, 1)
    log.wait(1)
    assert not stat.S_IMODE(log.path.stat().st_mode) & 0o137
