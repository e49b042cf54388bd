"""Where log lines go: a descriptor (standard error, a file) or a datagram socket (syslog, journal).

A sink never waits and never raises: it says whether the line was taken. A full disk, a pipe whose reader has stopped
or a vanished syslog must not hold up traffic.
"""

import errno
import fcntl
import os
import select
import socket
import stat
import syslog
import time
from typing import Protocol

from l4d.errors import StartError
from l4d.log.moment import rfc_3339
from l4d.terms import Level

SYSLOG_SOCKET = "/dev/log"
JOURNAL_SOCKET = "/run/systemd/journal/socket"

ERROR_LOG = "log.error"
"""The key that is told when a log cannot be opened, unless it is another one's."""

_PRIORITY = {
    Level.ERROR: syslog.LOG_ERR,
    Level.WARNING: syslog.LOG_WARNING,
    Level.INFO: syslog.LOG_INFO,
    Level.DEBUG: syslog.LOG_DEBUG,
}

PIPE_SAFE = 4096
"""A pipe that is ready takes this much at once (PIPE_BUF, pipe(7)); longer lines are cut."""


class Sink(Protocol):
    """Takes lines."""

    @property
    def fd(self) -> int:
        """The descriptor that is written to."""
        ...

    def write(self, level: Level, who: str, text: str) -> bool:
        """Whether the line *text* of process *who* was taken."""
        ...

    def reopen(self, fd: int) -> None:
        """Go on in the log file that was opened anew as *fd*, which stays the caller's; syslog has none to reopen."""
        ...

    def close(self) -> None:
        """No more lines will come. Standard error stays open."""
        ...


class DescriptorSink:
    """Standard error or a file: one line a write, with the time in front."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._has_end = _has_end(fd)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    @property
    def fd(self) -> int:
        return self._fd

    def write(self, level: Level, who: str, text: str) -> bool:
        line = f"{rfc_3339(time.time())} {level.value} {who}: {text}\n".encode(errors="backslashreplace")
        if len(line) > PIPE_SAFE:
            line = line[: PIPE_SAFE - 1].decode(errors="ignore").encode() + b"\n"  # no letter is cut in two
        try:
            if self._has_end and cut_at(self._fd):
                line = b"\n" + line
            # A pipe or a stopped terminal that takes nothing now would hold the process: asked first.
            return bool(self._poll.poll(0)) and os.write(self._fd, line) == len(line)
        except OSError:
            return False

    def reopen(self, fd: int) -> None:
        """Under the number by which others know this sink."""
        os.dup2(fd, self._fd, inheritable=False)
        self._has_end = _has_end(self._fd)

    def close(self) -> None:
        if self._fd > 2:
            os.close(self._fd)


class SyslogSink:
    """The local syslog, by datagrams as syslog(3) sends them."""

    def __init__(self, path: str = SYSLOG_SOCKET) -> None:
        self._path = path
        self._socket = open_datagrams(path, "syslog")

    @property
    def fd(self) -> int:
        return self._socket.fileno()

    def write(self, level: Level, who: str, text: str) -> bool:
        line = f"{syslog_head(level)}{who}: {text}"
        return not send(self._socket, line.encode(errors="backslashreplace"), self._path)

    def reopen(self, _fd: int) -> None:
        pass

    def close(self) -> None:
        self._socket.close()


class JournalSink:
    """The systemd journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

    def __init__(self, path: str = JOURNAL_SOCKET) -> None:
        self._path = path
        self._socket = open_datagrams(path, "the journal")

    @property
    def fd(self) -> int:
        return self._socket.fileno()

    def write(self, level: Level, who: str, text: str) -> bool:
        one_line = f"{who}: {text}".replace("\n", "\\n")
        record = f"{journal_head(level)}{one_line}\n"
        return not send(self._socket, record.encode(errors="backslashreplace"), self._path)

    def reopen(self, _fd: int) -> None:
        pass

    def close(self) -> None:
        self._socket.close()


def open_sink(target: str) -> Sink:
    """The sink for `log.error`: "stderr", "syslog", "journal" or a path. Raises StartError."""
    if target == "stderr":
        return DescriptorSink(_own_stderr())
    if target == "syslog":
        return SyslogSink()
    if target == "journal":
        return JournalSink()
    return DescriptorSink(open_file(target))


def _own_stderr() -> int:
    """Standard error, if it is a pipe, once more and non-blocking, which leaves other users of the pipe alone.

    Of several processes that found room in a pipe only the first would not wait.
    """
    try:
        if stat.S_ISFIFO(os.fstat(2).st_mode):
            return os.open("/proc/self/fd/2", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        pass  # no /proc, or no standard error at all: lines are asked for room, or lost and counted
    return 2


def open_file(path: str, key: str = ERROR_LOG) -> int:
    """A descriptor that appends to the log file *key* names, and reads it if it may. Raises StartError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
    except OSError as error:
        hint = "; a FIFO needs a reader first" if error.errno == errno.ENXIO else ""
        raise StartError(f"cannot open the log {path} ({key}): {error.strerror}{hint}") from None
    return _with_reading(fd) if stat.S_ISREG(os.fstat(fd).st_mode) else fd


def _with_reading(fd: int) -> int:
    """A file that is open for writing, opened for reading too, if that is allowed: its end can be looked at then."""
    try:
        readable = os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except OSError:
        return fd
    os.close(fd)
    return readable


def _has_end(fd: int) -> bool:
    """Whether it is a file whose end can be looked at."""
    try:
        is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        return is_file and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
    except OSError:
        return False


def cut_at(fd: int) -> int:
    """The size of a file that ends amid a line; 0: it does not. Raises OSError: it cannot be read.

    Somebody could not write all of it, and the next line is not to join it; or somebody is writing just now, which
    makes a file grow page by page.
    """
    size = _cut_now(fd)
    if size:
        os.write(fd, b"")  # nothing is written, but on most file systems whoever writes is waited for
        size = _cut_now(fd)
    return size


def _cut_now(fd: int) -> int:
    size = os.fstat(fd).st_size
    return size if size > 0 and os.pread(fd, 1, size - 1) not in {b"\n", b""} else 0


def open_datagrams(path: str, what: str, key: str = ERROR_LOG) -> socket.socket:
    """A socket to the log daemon *what* at *path*. Raises StartError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.connect(path)
    except OSError as error:
        sock.close()
        raise StartError(f"cannot reach {what} at {path} ({key}): {error.strerror}") from None
    return sock


def send(sock: socket.socket, line: bytes, path: str) -> int:
    """Send one datagram: 0, or the number of the error. A daemon that was restarted is found again at *path*."""
    try:
        sock.send(line)
        return 0
    except OSError as error:
        number = error.errno or errno.EIO
    if number in {errno.EAGAIN, errno.EMSGSIZE}:
        return number
    try:
        sock.connect(path)
        sock.send(line)
        return 0
    except OSError as error:
        return error.errno or errno.EIO


def syslog_head(level: Level) -> str:
    """What comes before the text in a datagram to syslog."""
    priority = syslog.LOG_DAEMON | _PRIORITY[level]
    return f"<{priority}>{time.strftime('%b %e %H:%M:%S')} l4d[{os.getpid()}]: "


def journal_head(level: Level) -> str:
    """The same of one to the journal."""
    return f"PRIORITY={_PRIORITY[level]}\nSYSLOG_IDENTIFIER=l4d\nMESSAGE="
