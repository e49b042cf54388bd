"""Where log lines go: a descriptor (standard error, a file) or a datagram socket (syslog, journal).

A sink never waits and never raises: it says whether the line was taken. A full disk, a pipe whose reader has stopped
or a vanished syslog must not hold up traffic.
"""

import contextlib
import errno
import os
import select
import socket
import stat
import syslog
import time
from typing import Protocol

from l4d.errors import StartError
from l4d.terms import Level

SYSLOG_SOCKET = "/dev/log"
JOURNAL_SOCKET = "/run/systemd/journal/socket"

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
        """Go on in the log file that was opened anew as *fd*; what has none to reopen closes it."""
        ...

    def close(self) -> None:
        """No more lines will come. Standard error stays open."""
        ...


class DescriptorSink:
    """Standard error or a file: one line a write, with the time in front."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    @property
    def fd(self) -> int:
        return self._fd

    def write(self, level: Level, who: str, text: str) -> bool:
        line = f"{_timestamp()} {level.value} {who}: {text}\n".encode(errors="backslashreplace")
        if len(line) > PIPE_SAFE:
            line = line[: PIPE_SAFE - 1].decode(errors="ignore").encode() + b"\n"  # no letter is cut in two
        try:
            # A pipe or a stopped terminal that takes nothing now would hold the process: asked first.
            return bool(self._poll.poll(0)) and os.write(self._fd, line) == len(line)
        except OSError:
            return False

    def reopen(self, fd: int) -> None:
        """Go on in *fd*, which is closed, under the number by which others know this sink."""
        os.dup2(fd, self._fd, inheritable=False)
        os.close(fd)

    def close(self) -> None:
        if self._fd > 2:
            os.close(self._fd)


class SyslogSink:
    """The local syslog, by datagrams as syslog(3) sends them."""

    def __init__(self, path: str = SYSLOG_SOCKET) -> None:
        self._path = path
        self._socket = _datagram_socket(path, "syslog")

    @property
    def fd(self) -> int:
        return self._socket.fileno()

    def write(self, level: Level, who: str, text: str) -> bool:
        priority = syslog.LOG_DAEMON | _PRIORITY[level]
        line = f"<{priority}>{time.strftime('%b %e %H:%M:%S')} l4d[{os.getpid()}]: {who}: {text}"
        return _send(self._socket, line.encode(errors="backslashreplace"), self._path)

    def reopen(self, fd: int) -> None:
        os.close(fd)

    def close(self) -> None:
        self._socket.close()


class JournalSink:
    """The systemd journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

    def __init__(self, path: str = JOURNAL_SOCKET) -> None:
        self._path = path
        self._socket = _datagram_socket(path, "the journal")

    @property
    def fd(self) -> int:
        return self._socket.fileno()

    def write(self, level: Level, who: str, text: str) -> bool:
        one_line = f"{who}: {text}".replace("\n", "\\n")
        record = f"PRIORITY={_PRIORITY[level]}\nSYSLOG_IDENTIFIER=l4d\nMESSAGE={one_line}\n"
        return _send(self._socket, record.encode(errors="backslashreplace"), self._path)

    def reopen(self, fd: int) -> None:
        os.close(fd)

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


def open_file(path: str) -> int:
    """A descriptor that appends to the log file. Raises StartError."""
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
    except OSError as error:
        hint = "; a FIFO needs a reader first" if error.errno == errno.ENXIO else ""
        raise StartError(f"cannot open the log {path} (log.error): {error.strerror}{hint}") from None


def _datagram_socket(path: str, what: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.connect(path)
    except OSError as error:
        sock.close()
        raise StartError(f"cannot reach {what} at {path} (log.error): {error.strerror}") from None
    return sock


def _send(sock: socket.socket, line: bytes, path: str) -> bool:
    """Send one datagram; a daemon that was restarted since is found again at *path*."""
    try:
        return sock.send(line) == len(line)
    except BlockingIOError:
        return False
    except OSError:
        with contextlib.suppress(OSError):
            return sock.connect_ex(path) == 0 and sock.send(line) == len(line)
        return False


def _timestamp() -> str:
    """RFC 3339 in UTC with milliseconds. The wall clock is for people; nothing is decided by it."""
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"
