"""Where the lines of access logs go: nothing waits, nothing raises, and lines stay whole."""

import os
import pty
import re
import socket
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from l4d.errors import StartError
from l4d.log import outlets
from l4d.log.outlets import (
    MOST_DATAGRAMS,
    NONE,
    DaemonOutlet,
    FileOutlet,
    Outlet,
    StreamOutlet,
    Taken,
    journal_outlet,
    leave_standard,
    open_outlet,
    outlet_of,
    syslog_outlet,
)
from l4d.log.sinks import JOURNAL_SOCKET, PIPE_SAFE, SYSLOG_SOCKET
from tests.kit.full import full_at
from tests.kit.processes import own_descriptors
from tests.kit.rights import NOBODY, needs_root

KEY = "listeners.web.access_log"


def lines(number: int, size: int = 10) -> list[bytes]:
    """So many, of this size."""
    return [f"{n:0{size - 1}d}\n".encode() for n in range(number)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def file(path: Path) -> Iterator[Outlet]:
    outlet = open_outlet(str(path), KEY)
    yield outlet
    outlet.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe, neither end of which waits."""
    reader, writer = os.pipe2(os.O_NONBLOCK)
    yield reader, writer
    for fd in (reader, writer):
        with suppress(OSError):
            os.close(fd)


# Files


def test_lines_are_appended_to_a_file(path: Path, file: Outlet) -> None:
    assert isinstance(file, FileOutlet)
    assert file.put(lines(3)) == Taken(3)
    with path.open("ab") as other:
        other.write(b"another's\n")
    assert file.put([b"mine\n"]) == Taken(1)
    assert path.read_bytes() == b"".join(lines(3)) + b"another's\nmine\n"


@pytest.mark.parametrize(("size", "taken"), [(0, NONE), (20, Taken(2)), (25, Taken(3, 1)), (29, Taken(3, 1))])
def test_on_a_full_disk_whole_lines_are_taken_and_the_cut_one_is_lost(
    path: Path, file: Outlet, size: int, taken: Taken
) -> None:
    with full_at(size):
        assert file.put(lines(5)) == taken
        assert file.put(lines(5)[taken.lines :]) == NONE
    assert file.put([b"later\n"]) == Taken(1)
    between = b"\n" if taken.lost else b""
    assert path.read_bytes() == b"".join(lines(5))[:size] + between + b"later\n"


def test_a_line_that_another_process_left_cut_is_ended_first(path: Path, file: Outlet) -> None:
    path.write_bytes(b"whole\ncut")
    assert file.put([b"mine\n"]) == NONE, "it may be amid a write"
    assert file.put([b"mine\n"]) == Taken(1)
    assert path.read_bytes() == b"whole\ncut\nmine\n"


def test_a_line_that_another_process_is_writing_is_waited_for_and_parted_by_nothing(path: Path, file: Outlet) -> None:
    with path.open("ab", buffering=0) as other:
        for piece in (b"half", b" and another half"):
            other.write(piece)
            assert file.put([b"mine\n"]) == NONE
        other.write(b" of it\n")
    assert file.put([b"mine\n"]) == Taken(1)
    assert path.read_bytes() == b"half and another half of it\nmine\n"


def test_a_line_that_we_have_cut_and_another_process_has_ended_is_not_ended_again(path: Path, file: Outlet) -> None:
    with full_at(25):
        assert file.put(lines(5)) == Taken(3, 1)
    with path.open("ab") as other:
        other.write(b"\nanother's\n")
    assert file.put([b"mine\n"]) == Taken(1)
    assert path.read_bytes() == b"".join(lines(5))[:25] + b"\nanother's\nmine\n"


def test_a_file_that_another_process_writes_to_just_now_is_not_taken_for_cut(path: Path, file: Outlet) -> None:
    """It grows page by page: in between it ends amid a line."""
    line, seconds = b"x" * 300 + b"\n", 0.3
    writers = [os.fork() for _ in range(3)]
    if 0 in writers:  # pragma: no cover - in a child
        _write_for(file, [line] * 40, seconds)
    for pid in writers:
        assert os.waitpid(pid, 0)[1] == 0
    assert {*path.read_bytes().splitlines(keepends=True)} == {line}


def _write_for(file: Outlet, lines: list[bytes], seconds: float) -> NoReturn:  # pragma: no cover - in a child
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        file.put(lines)
        time.sleep(0.0002)
    os._exit(0)


def test_where_only_the_newline_fits_the_lines_wait(path: Path, file: Outlet) -> None:
    path.write_bytes(b"cut")
    with full_at(4):
        assert file.put(lines(2)) == NONE
        assert path.read_bytes() == b"cut"
        assert file.put(lines(2)) == NONE
        assert path.read_bytes() == b"cut\n"
    assert file.put(lines(2)) == Taken(2)
    assert path.read_bytes() == b"cut\n" + b"".join(lines(2))


def test_a_file_that_cannot_be_read_is_written_and_our_own_cuts_are_known(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o200)
    outlet = outlet_of(fd)
    with full_at(5):
        assert outlet.put(lines(2)) == Taken(1, 1)
    assert outlet.put([b"later\n"]) == Taken(1)
    outlet.close()
    path.chmod(0o600)
    assert path.read_bytes() == b"00000\nlater\n"


def test_a_file_that_was_emptied_by_others_is_gone_on_with(path: Path, file: Outlet) -> None:
    file.put(lines(3))
    os.truncate(path, 0)
    file.put([b"later\n"])
    assert path.read_bytes() == b"later\n"


def test_a_file_that_was_opened_anew_has_the_number_of_before(path: Path, file: Outlet) -> None:
    file.put([b"before\n"])
    path.rename(path.with_suffix(".1"))
    again = open_outlet(str(path), KEY)
    number = file.fd
    now = file.go_on_in(again.fd)
    again.close()
    assert now.fd == number
    assert not os.get_inheritable(number)
    now.put([b"after\n"])
    assert (path.with_suffix(".1").read_bytes(), path.read_bytes()) == (b"before\n", b"after\n")


def test_a_file_may_have_become_a_pipe_meanwhile(file: Outlet, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    now = file.go_on_in(writer)
    assert isinstance(now, StreamOutlet)
    now.put(lines(2))
    assert os.read(reader, 100) == b"".join(lines(2))


# Pipes and devices


def test_a_pipe_gets_whole_lines_in_pieces_that_stay_together(pipe: tuple[int, int]) -> None:
    reader, _writer = pipe
    pieces: list[bytes] = []

    def write(fd: int, data: bytes) -> int:
        pieces.append(data)
        return os.write(fd, data)

    outlet = StreamOutlet(pipe[1], write)
    some = lines(1000, 30)
    assert outlet.put(some) == Taken(1000)
    assert b"".join(pieces) == os.read(reader, 1 << 20) == b"".join(some)
    assert all(piece.endswith(b"\n") and len(piece) <= PIPE_SAFE for piece in pieces)
    assert len(pieces) == -(-1000 // (PIPE_SAFE // 30))


def test_what_a_full_pipe_does_not_take_is_left(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = outlet_of(writer)
    some = lines(10_000, 32)
    taken, lost = outlet.put(some)
    assert 0 < taken < 10_000
    assert not lost
    assert outlet.put(some[taken:]) == NONE
    read = os.read(reader, 1 << 20)
    assert read == b"".join(some[:taken])
    assert outlet.put(some[taken:]).lines > 0


def test_a_pipe_that_would_wait_is_asked_for_room_first(pipe: tuple[int, int]) -> None:
    """Standard output that another user has made cannot be opened again."""
    reader, writer = pipe
    os.set_blocking(writer, True)
    outlet = outlet_of(writer)
    some = lines(10_000, 32)
    taken, _lost = outlet.put(some)
    assert 0 < taken < 10_000
    assert outlet.put(some[taken:]) == NONE
    assert os.read(reader, 1 << 20) == b"".join(some[:taken])
    assert os.get_blocking(writer)


def test_lines_wait_for_a_reader_who_comes_back(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    outlet = open_outlet(str(fifo), KEY)
    assert outlet.put(lines(1)) == Taken(1)
    assert os.read(reader, 100) == lines(1)[0]
    os.close(reader)
    assert outlet.put(lines(2)) == NONE
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    assert outlet.put(lines(2)) == Taken(2)
    assert os.read(reader, 100) == b"".join(lines(2))
    os.close(reader)
    outlet.close()


def test_a_line_too_long_to_stay_together_is_lost_and_no_other(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = outlet_of(writer)
    most, beyond = b"x" * (PIPE_SAFE - 1) + b"\n", b"y" * PIPE_SAFE + b"\n"
    assert outlet.put([b"a\n", beyond, most, beyond]) == Taken(4, 2)
    assert os.read(reader, 1 << 20) == b"a\n" + most


def test_a_device_that_is_full_takes_nothing() -> None:
    outlet = open_outlet("/dev/full", KEY)
    assert outlet.put(lines(3)) == NONE
    outlet.close()


def test_a_terminal_that_takes_a_part_gets_the_rest_first() -> None:
    got: list[bytes] = []
    takes = [5, 3, 100, 100]

    def write(_fd: int, data: bytes) -> int:
        got.append(data[: takes.pop(0)])
        return len(got[-1])

    outlet = StreamOutlet(-1, write)
    assert outlet.put([b"0123456789\n"]) == Taken(1)
    assert outlet.put([b"next\n"]) == NONE
    assert outlet.put([b"next\n"]) == Taken(1)
    assert got == [b"01234", b"567", b"89\n", b"next\n"]


def test_a_terminal_takes_lines() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    outlet = outlet_of(theirs)
    assert outlet.put(lines(2)) == Taken(2)
    assert os.read(ours, 100) == b"".join(lines(2))
    os.close(ours)
    outlet.close()


def test_a_closed_descriptor_takes_nothing(pipe: tuple[int, int]) -> None:
    _reader, writer = pipe
    os.close(writer)
    assert outlet_of(writer).put(lines(1)) == NONE


def test_a_socket_is_told_not_to_wait() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(True)
        outlet = outlet_of(theirs.fileno())
        some = lines(10_000, 64)
        taken = 0
        while more := outlet.put(some[taken : taken + 500]).lines:
            taken += more
        assert taken
        ours.setblocking(False)
        assert b"".join(some).startswith(ours.recv(1 << 16))
        assert theirs.fileno() >= 0


# Standard output and error


@contextmanager
def standard(fd: int, target: int) -> Iterator[None]:
    """Descriptor *fd* of this process is *target* for a while."""
    kept = os.dup(fd)
    os.dup2(target, fd)
    try:
        yield
    finally:
        os.dup2(kept, fd)
        os.close(kept)


@pytest.mark.parametrize(("target", "number"), [("stdout", 1), ("stderr", 2)])
def test_standard_streams_that_are_pipes_are_opened_again_without_waiting(
    capfd: pytest.CaptureFixture[str], target: str, number: int
) -> None:
    with capfd.disabled():
        reader, writer = os.pipe()
        with standard(number, writer):
            outlet = open_outlet(target, "log.access")
            assert outlet.fd > 2
            assert os.get_blocking(number), "it is others' as well"
            assert not os.get_blocking(outlet.fd)
            assert outlet.put(lines(2)) == Taken(2)
            outlet.close()
        assert os.read(reader, 100) == b"".join(lines(2))
        os.close(reader)
        os.close(writer)


def test_standard_output_that_is_a_file_is_appended_to(path: Path) -> None:
    path.write_bytes(b"before\n")
    fd = os.open(path, os.O_WRONLY)
    with standard(1, fd):
        outlet = open_outlet("stdout", "log.access")
        outlet.put([b"after\n"])
        outlet.close()
    os.close(fd)
    assert path.read_bytes() == b"before\nafter\n"


def test_standard_output_that_cannot_be_opened_again_is_used_as_it_is() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, standard(1, theirs.fileno()):
        outlet = open_outlet("stdout", "log.access")
        assert outlet.fd == 1
        assert outlet.put(lines(1)) == Taken(1)
        outlet.close()
        assert os.fstat(1), "it stays open"
        assert ours.recv(100) == lines(1)[0]


def test_a_daemon_leaves_its_standard_streams(path: Path, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with standard(1, writer):
        opened = {"stdout": open_outlet("stdout", "log.access"), str(path): open_outlet(str(path), KEY)}
        number = opened["stdout"].fd
        leave_standard(opened)
    os.close(writer)
    assert os.read(reader, 1) == b"", "nobody holds it open"
    assert opened["stdout"].fd == number
    assert opened["stdout"].put(lines(1)) == Taken(1)
    opened[str(path)].put(lines(1))
    assert path.read_bytes() == lines(1)[0]
    for outlet in opened.values():
        outlet.close()


# Syslog and the journal


class Daemon:
    """A log daemon's datagram socket, which may vanish and come back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.come_back()

    def vanish(self) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)

    def come_back(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)

    def read(self) -> str:
        return self.socket.recv(1 << 16).decode()

    def read_all(self) -> list[str]:
        read: list[str] = []
        with suppress(BlockingIOError):
            while True:
                read.append(self.read())
        return read


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "log")
    yield daemon
    daemon.vanish()


each_daemon = pytest.mark.parametrize("make", [syslog_outlet, journal_outlet])
Make = Callable[[str, str], DaemonOutlet]


def test_syslog_gets_a_datagram_a_line(daemon: Daemon) -> None:
    outlet = syslog_outlet(KEY, str(daemon.path))
    assert outlet.put([b"one\n", "zw\u00f6lf\n".encode()]) == Taken(2)
    outlet.close()
    first, second = daemon.read_all()
    head = rf"<30>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d l4d\[{os.getpid()}\]: "
    assert re.fullmatch(head + "one", first)
    assert re.fullmatch(head + "zw\u00f6lf", second)


def test_the_journal_gets_a_datagram_a_line(daemon: Daemon) -> None:
    outlet = journal_outlet(KEY, str(daemon.path))
    assert outlet.put([b"one\n", b"two=2\n"]) == Taken(2)
    outlet.close()
    head = "PRIORITY=6\nSYSLOG_IDENTIFIER=l4d\nMESSAGE="
    assert daemon.read_all() == [f"{head}one\n", f"{head}two=2\n"]


@each_daemon
def test_lines_wait_for_a_daemon_that_vanished(daemon: Daemon, make: Make) -> None:
    outlet = make(KEY, str(daemon.path))
    daemon.vanish()
    assert outlet.put(lines(2)) == NONE
    daemon.come_back()
    assert outlet.put(lines(2)) == Taken(2)
    assert len(daemon.read_all()) == 2
    outlet.close()


@each_daemon
def test_lines_wait_for_a_daemon_that_does_not_read(daemon: Daemon, make: Make) -> None:
    outlet = make(KEY, str(daemon.path))
    some = lines(10_000)
    taken = 0
    while more := outlet.put(some[taken:]).lines:
        assert more <= MOST_DATAGRAMS
        taken += more
    assert 0 < taken < 10_000
    assert len(daemon.read_all()) == taken
    assert outlet.put(some[taken:]).lines > 0
    outlet.close()


@each_daemon
def test_a_line_that_no_datagram_holds_is_lost_and_no_other(daemon: Daemon, make: Make) -> None:
    outlet = make(KEY, str(daemon.path))
    assert outlet.put([b"one\n", b"x" * (1 << 20) + b"\n", b"two\n"]) == Taken(3, 1)
    assert len(daemon.read_all()) == 2
    outlet.close()


@each_daemon
def test_there_is_nothing_to_open_anew(daemon: Daemon, make: Make) -> None:
    outlet = make(KEY, str(daemon.path))
    assert outlet.go_on_in(0) is outlet
    assert outlet.put(lines(1)) == Taken(1)
    outlet.close()


@each_daemon
def test_a_daemon_that_is_not_there_is_named_with_the_key(tmp_path: Path, make: Make) -> None:
    with pytest.raises(StartError, match=rf"cannot reach .* at .*/log \({KEY}\): No such file"):
        make(KEY, str(tmp_path / "log"))


@pytest.mark.parametrize("target", ["syslog", "journal"])
def test_log_daemons_are_found_where_they_always_are(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    asked: list[str] = []

    def refused(path: str, _what: str, key: str) -> socket.socket:
        asked.append(path)
        raise StartError(key)

    monkeypatch.setattr(outlets, "open_datagrams", refused)
    with pytest.raises(StartError, match=KEY):
        open_outlet(target, KEY)
    assert asked == [SYSLOG_SOCKET if target == "syslog" else JOURNAL_SOCKET]


# What cannot be opened


@pytest.mark.parametrize("path", ["/nowhere/access.log", "/"])
def test_a_log_that_cannot_be_opened_is_named_with_its_key(path: str) -> None:
    with pytest.raises(StartError, match=rf"cannot open the log {path} \({KEY}\): "):
        open_outlet(path, KEY)


def test_a_fifo_without_a_reader_does_not_hold_up_the_start(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(StartError, match="a FIFO needs a reader first"):
        open_outlet(str(fifo), KEY)


def test_a_closed_outlet_keeps_no_descriptor(path: Path, daemon: Daemon) -> None:
    before = own_descriptors()
    for outlet in (open_outlet(str(path), KEY), syslog_outlet(KEY, str(daemon.path))):
        outlet.put(lines(1))
        outlet.close()
    assert own_descriptors() == before


@needs_root
def test_a_file_of_which_only_writing_is_allowed_is_opened(path: Path) -> None:
    path.touch()
    path.chmod(0o222)
    path.parent.chmod(0o711)
    pid = os.fork()
    if pid == 0:
        os.chdir(path.parent)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        with suppress(Exception):
            os._exit(open_outlet(path.name, KEY).put(lines(1)) != Taken(1))
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert path.read_bytes() == lines(1)[0]
