"""Where log lines go: a sink never waits and never raises."""

import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from l4d.errors import StartError
from l4d.log import sinks
from l4d.log.log import Log
from l4d.log.sinks import PIPE_SAFE, DescriptorSink, JournalSink, Sink, SyslogSink, open_file, open_sink
from l4d.terms import Level
from tests.kit.full import full_at
from tests.kit.processes import descriptors

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\w+) (.*)\n", re.DOTALL)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose writer would wait if it were written to while full."""
    reader, writer = os.pipe()
    yield reader, writer
    for fd in (reader, writer):
        with suppress(OSError):
            os.close(fd)


class Daemon:
    """A log daemon's datagram socket, which may vanish and come back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = self._bound()

    def _bound(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(str(self.path))
        sock.setblocking(False)
        return sock

    def vanish(self) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)

    def come_back(self) -> None:
        self.socket = self._bound()

    def read(self) -> str:
        return self.socket.recv(65536).decode()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "log")
    yield daemon
    daemon.vanish()


def lost(sink: Sink, lines: int = 3) -> int:
    """How many of so many lines are counted as lost."""
    count = 0

    def count_one() -> None:
        nonlocal count
        count += 1

    log = Log(sink, Level.INFO, "test", count_one)
    for number in range(lines):
        log.error(f"line {number}")
    return count


def test_a_line_in_a_file_has_time_level_and_process(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    sink = open_sink(str(path))
    assert sink.write(Level.WARNING, "worker 1", "text")
    assert sink.write(Level.INFO, "master", "more text")
    sink.close()
    first, second = path.read_text("utf-8").splitlines(keepends=True)
    told = LINE.fullmatch(first)
    assert told is not None
    assert told.groups() == ("warning", "worker 1: text")
    assert second.endswith(" info master: more text\n")


def test_a_file_is_appended_to_and_not_for_everybody_to_read(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    for text in ("one", "two"):
        sink = open_sink(str(path))
        sink.write(Level.INFO, "", text)
        sink.close()
    assert len(path.read_text("utf-8").splitlines()) == 2
    assert not stat.S_IMODE(path.stat().st_mode) & 0o137


def test_a_line_that_was_cut_is_not_joined_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    sink = open_sink(str(path))
    with full_at(40):
        assert not sink.write(Level.INFO, "", "a line that is too long for what is left of the disk")
    assert path.stat().st_size == 40
    assert sink.write(Level.INFO, "", "next")
    assert sink.write(Level.INFO, "", "and next")
    sink.close()
    cut, first, second = path.read_text("utf-8").splitlines()
    assert len(cut) == 40
    assert first.endswith("info : next")
    assert second.endswith("info : and next")


def test_a_reopened_file_is_looked_at_in_its_turn(tmp_path: Path) -> None:
    (tmp_path / "new.log").write_text("cut")
    sink = open_sink("/dev/full")
    fd = open_file(str(tmp_path / "new.log"))
    sink.reopen(fd)
    os.close(fd)
    assert sink.write(Level.INFO, "", "next")
    sink.close()
    assert [line[-4:] for line in (tmp_path / "new.log").read_text("utf-8").splitlines()] == ["cut", "next"]


def test_what_utf8_cannot_say_is_still_written(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    sink = open_sink(str(path))
    assert sink.write(Level.INFO, "", "ü \udcff")
    sink.close()
    assert path.read_text("utf-8").endswith("ü \\udcff\n")


@pytest.mark.parametrize("letter", ["x", "ü"])
def test_a_long_line_is_cut_to_what_a_pipe_takes_at_once(pipe: tuple[int, int], letter: str) -> None:
    reader, writer = pipe
    assert DescriptorSink(writer).write(Level.INFO, "", letter * 100_000)
    taken = os.read(reader, 100_000)
    assert len(taken) <= PIPE_SAFE
    assert len(taken) > PIPE_SAFE - 4
    assert taken.endswith(letter.encode() + b"\n")
    taken.decode("utf-8")


def test_lines_for_a_closed_descriptor_are_lost(pipe: tuple[int, int]) -> None:
    _, writer = pipe
    sink = DescriptorSink(writer)
    os.close(writer)
    assert lost(sink, 3) == 3


def test_lines_for_a_full_disk_are_lost() -> None:
    sink = open_sink("/dev/full")
    assert lost(sink, 3) == 3
    sink.close()


def test_lines_for_a_full_pipe_are_lost_and_nobody_waits(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    sink = DescriptorSink(writer)
    assert lost(sink, 3) == 3
    os.read(reader, 1 << 20)
    assert lost(sink, 3) == 0


def test_lines_for_a_pipe_that_nobody_reads_any_more_are_lost(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    assert lost(DescriptorSink(writer), 3) == 3


def test_standard_error_is_never_closed(capfd: pytest.CaptureFixture[str]) -> None:
    sink = open_sink("stderr")
    assert sink.fd == 2
    sink.close()
    assert sink.write(Level.ERROR, "master", "still here")
    assert capfd.readouterr().err.endswith("error master: still here\n")


def test_a_closed_sink_keeps_no_descriptor(tmp_path: Path, daemon: Daemon) -> None:
    before = descriptors(os.getpid())
    for sink in (open_sink(str(tmp_path / "x")), SyslogSink(str(daemon.path)), JournalSink(str(daemon.path))):
        assert sink.fd > 2
        sink.close()
    assert descriptors(os.getpid()) == before


@pytest.mark.parametrize("path", ["/nowhere/error.log", "/"])
def test_a_log_that_cannot_be_opened_is_named_with_its_key(path: str) -> None:
    with pytest.raises(StartError, match=rf"cannot open the log {path} \(log.error\): "):
        open_sink(path)


def test_a_fifo_without_a_reader_does_not_hold_up_the_start(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with pytest.raises(StartError, match="a FIFO needs a reader first"):
        open_file(str(path))


@pytest.mark.parametrize(("make", "name"), [(SyslogSink, "syslog"), (JournalSink, "the journal")])
def test_a_log_daemon_that_is_not_there_is_named(tmp_path: Path, make: type[SyslogSink], name: str) -> None:
    before = descriptors(os.getpid())
    with pytest.raises(StartError, match=rf"cannot reach {name} at .*/log \(log.error\): No such file"):
        make(str(tmp_path / "log"))
    assert descriptors(os.getpid()) == before


@pytest.mark.parametrize(("target", "kind"), [("syslog", SyslogSink), ("journal", JournalSink)])
def test_log_daemons_are_found_where_they_always_are(
    monkeypatch: pytest.MonkeyPatch, daemon: Daemon, target: str, kind: type
) -> None:
    connect = socket.socket.connect
    asked: list[object] = []

    def redirected(self: socket.socket, path: object) -> None:
        asked.append(path)
        connect(self, str(daemon.path))

    monkeypatch.setattr(socket.socket, "connect", redirected)
    sink = open_sink(target)
    assert isinstance(sink, kind)
    sink.close()
    assert asked == [sinks.SYSLOG_SOCKET if target == "syslog" else sinks.JOURNAL_SOCKET]


def test_syslog_gets_the_priority_the_program_and_its_pid(daemon: Daemon) -> None:
    sink = SyslogSink(str(daemon.path))
    assert sink.write(Level.ERROR, "worker 1", "text")
    sink.close()
    form = rf"<27>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d l4d\[{os.getpid()}\]: worker 1: text"
    assert re.fullmatch(form, daemon.read())


def test_the_journal_gets_one_field_a_line(daemon: Daemon) -> None:
    sink = JournalSink(str(daemon.path))
    assert sink.write(Level.INFO, "master", "two\nlines")
    sink.close()
    assert daemon.read() == "PRIORITY=6\nSYSLOG_IDENTIFIER=l4d\nMESSAGE=master: two\\nlines\n"


@pytest.mark.parametrize("make", [SyslogSink, JournalSink])
def test_lines_for_a_vanished_daemon_are_lost_until_it_is_back(daemon: Daemon, make: type[SyslogSink]) -> None:
    sink = make(str(daemon.path))
    daemon.vanish()
    assert lost(sink, 3) == 3
    daemon.come_back()
    assert lost(sink, 3) == 0
    assert "line 0" in daemon.read()
    sink.close()


@pytest.mark.parametrize("make", [SyslogSink, JournalSink])
def test_a_daemon_that_was_restarted_between_two_lines_costs_none(daemon: Daemon, make: type[SyslogSink]) -> None:
    sink = make(str(daemon.path))
    daemon.vanish()
    daemon.come_back()
    assert lost(sink, 2) == 0
    sink.close()


@pytest.mark.parametrize("make", [SyslogSink, JournalSink])
def test_lines_for_a_daemon_that_does_not_read_are_lost_and_nobody_waits(
    daemon: Daemon, make: type[SyslogSink]
) -> None:
    sink = make(str(daemon.path))
    while sink.write(Level.INFO, "test", "until it is full"):
        pass
    assert lost(sink, 3) == 3
    daemon.read()
    assert lost(sink, 1) == 0
    sink.close()


@pytest.mark.parametrize("make", [SyslogSink, JournalSink])
def test_a_line_that_no_datagram_holds_is_lost_and_the_next_is_not(daemon: Daemon, make: type[SyslogSink]) -> None:
    sink = make(str(daemon.path))
    assert not sink.write(Level.INFO, "test", "x" * (1 << 20))
    assert sink.write(Level.INFO, "test", "short")
    sink.close()


@pytest.mark.parametrize("make", [SyslogSink, JournalSink])
def test_lines_after_the_sink_was_closed_are_lost(daemon: Daemon, make: type[SyslogSink]) -> None:
    sink = make(str(daemon.path))
    sink.close()
    assert lost(sink, 2) == 2
