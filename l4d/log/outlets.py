"""Where the lines of an access log go: a file, a pipe, a log daemon. An outlet never waits and never raises.

It takes as many lines, from the first one on, as can be had rid of now. What remains is the caller's to offer again:
a disk may have space again, a pipe a reader, and a log daemon may come back.

Several processes write to the same target. Into a file goes one write(2) of whole lines at its end (O_APPEND), into a
pipe so much as the kernel keeps together (PIPE_BUF, pipe(7)), to a daemon one datagram a line: lines never mix.
"""

import errno
import os
import select
import socket
import stat
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from l4d.log.sinks import (
    JOURNAL_SOCKET,
    PIPE_SAFE,
    SYSLOG_SOCKET,
    cut_at,
    journal_head,
    open_datagrams,
    open_file,
    send,
    syslog_head,
)
from l4d.terms import Level

BATCH = 32 << 10
"""So many bytes are worth a write."""

MOST_DATAGRAMS = 256
"""Sent in one go; the others wait a moment, as sessions want their turn."""

_STANDARD = {"stdout": 1, "stderr": 2}


class Taken(NamedTuple):
    """What became of the lines: the first *lines* of them are done with, and *lost* of those were not written whole."""

    lines: int
    lost: int = 0


NONE = Taken(0)


class Outlet(Protocol):
    """Takes lines, each with its newline."""

    batch: int
    """So many bytes are worth a call."""

    @property
    def fd(self) -> int:
        """The descriptor that is written to."""
        ...

    def put(self, lines: Sequence[bytes]) -> Taken:
        """Write as many as can be written now."""
        ...

    def go_on_in(self, fd: int) -> "Outlet":
        """The outlet from now on, as the file was opened anew as *fd*, which stays the caller's. The number is kept."""
        ...

    def close(self) -> None:
        """No more lines will come. Standard output and error stay open."""
        ...


class FileOutlet:
    """A regular file. A line that was cut, because the disk was full, is ended by a newline before the next ones.

    Another process may have cut it, so the end of the file is looked at before each write. Others see the beginning of
    a long write before its end, so only what ends at the same place the next time has been cut. What is cut between the
    look and the write is not seen; for the next line to join it, there must be space again within that moment.
    """

    batch = BATCH

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._cut = False  # by us; if the file cannot be read that is all we know
        self._amid = 0  # where it ended amid a line of another's when it was looked at last

    @property
    def fd(self) -> int:
        return self._fd

    def put(self, lines: Sequence[bytes]) -> Taken:
        before = self._before()
        if before is None:
            return NONE
        data = before + b"".join(lines)
        try:
            written = os.write(self._fd, data)
        except OSError:
            return NONE
        if written == len(data):
            self._cut = False
            return Taken(len(lines))
        return self._short(lines, written - len(before))

    def _before(self) -> bytes | None:
        """What the next line is to be parted by from what is there; None: another process may be writing just now."""
        try:
            size = cut_at(self._fd)
        except OSError:
            return b"\n" if self._cut else b""
        if size and not self._cut and size != self._amid:
            self._amid = size
            return None
        return b"\n" if size else b""

    def _short(self, lines: Sequence[bytes], written: int) -> Taken:
        """Only so many bytes of *lines* were written."""
        whole = 0
        for line in lines:
            if written < len(line):
                break
            written -= len(line)
            whole += 1
        self._cut = written > 0
        return Taken(whole + 1, 1) if self._cut else Taken(whole)

    def go_on_in(self, fd: int) -> Outlet:
        return _go_on_in(fd, self._fd)

    def close(self) -> None:
        _close(self._fd)


class StreamOutlet:
    """A pipe, a terminal, a device, a socket: pieces of whole lines, as long as they are kept together."""

    batch = BATCH

    def __init__(self, fd: int, write: Callable[[int, bytes], int] = os.write) -> None:
        """*write* must not wait."""
        self._fd = fd
        self._write = write
        self._rest = b""  # of a piece that a terminal has taken in part

    @property
    def fd(self) -> int:
        return self._fd

    def put(self, lines: Sequence[bytes]) -> Taken:
        taken = lost = 0
        try:
            self._finish()
            while taken < len(lines) and not self._rest:
                piece, number = _piece(lines, taken)
                if number:
                    self._rest = piece[self._write(self._fd, piece) :]
                else:
                    lost += 1  # it is too long
                taken += number or 1
        except OSError:
            pass  # full, or nobody reads
        return Taken(taken, lost)

    def _finish(self) -> None:
        if self._rest:
            self._rest = self._rest[self._write(self._fd, self._rest) :]

    def go_on_in(self, fd: int) -> Outlet:
        return _go_on_in(fd, self._fd)

    def close(self) -> None:
        _close(self._fd)


def _piece(lines: Sequence[bytes], first: int) -> tuple[bytes, int]:
    """The lines from *first* on that a pipe takes as one, and their number; 0: the first is too long for that."""
    size, last = 0, first
    while last < len(lines) and size + len(lines[last]) <= PIPE_SAFE:
        size += len(lines[last])
        last += 1
    return b"".join(lines[first:last]), last - first


class DaemonOutlet:
    """Syslog or the journal: each line is sent at once, as one datagram."""

    batch = 1

    def __init__(self, path: str, what: str, key: str, head: Callable[[Level], str], tail: bytes) -> None:
        """A datagram is *head*, the line, and *tail*. Raises StartError, which names *key*."""
        self._path = path
        self._socket = open_datagrams(path, what, key)
        self._head = head
        self._tail = tail

    @property
    def fd(self) -> int:
        return self._socket.fileno()

    def put(self, lines: Sequence[bytes]) -> Taken:
        head = self._head(Level.INFO).encode()
        taken = lost = 0
        for line in lines[:MOST_DATAGRAMS]:
            number = send(self._socket, head + line[:-1] + self._tail, self._path)
            if number not in {0, errno.EMSGSIZE}:
                break
            taken += 1
            lost += number != 0
        return Taken(taken, lost)

    def go_on_in(self, _fd: int) -> Outlet:
        return self

    def close(self) -> None:
        self._socket.close()


def syslog_outlet(key: str, path: str = SYSLOG_SOCKET) -> DaemonOutlet:
    """Raises StartError."""
    return DaemonOutlet(path, "syslog", key, syslog_head, b"")


def journal_outlet(key: str, path: str = JOURNAL_SOCKET) -> DaemonOutlet:
    """Raises StartError."""
    return DaemonOutlet(path, "the journal", key, journal_head, b"\n")


def open_outlet(target: str, key: str) -> Outlet:
    """The outlet for "stdout", "stderr", "syslog", "journal" or a path, that *key* names. Raises StartError."""
    if target == "syslog":
        return syslog_outlet(key)
    if target == "journal":
        return journal_outlet(key)
    if target in _STANDARD:
        return outlet_of(_opened_again(_STANDARD[target]))
    return outlet_of(open_file(target, key))


def leave_standard(outlets: dict[str, Outlet]) -> None:
    """Of *outlets*, by target, standard output and error are nowhere from here on."""
    for target in _STANDARD.keys() & outlets.keys():
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        outlets[target] = outlets[target].go_on_in(null)
        os.close(null)


def outlet_of(fd: int) -> Outlet:
    """The outlet that suits what *fd* is."""
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return StreamOutlet(fd)  # there is none, so nothing will be taken
    if stat.S_ISREG(mode):
        return FileOutlet(fd)
    if stat.S_ISSOCK(mode):
        return StreamOutlet(fd, _send)
    return StreamOutlet(fd, _write_when_ready if os.get_blocking(fd) else os.write)


def _opened_again(fd: int) -> int:
    """Standard output or error once more, non-blocking and to be appended to, which leaves its other users alone.

    A socket cannot be opened again, and need not: it is told with each call that it must not wait.
    """
    for how in (os.O_RDWR, os.O_WRONLY):
        try:
            if how == os.O_WRONLY or stat.S_ISREG(os.fstat(fd).st_mode):
                return os.open(f"/proc/self/fd/{fd}", how | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            pass  # not to be read, or not to be opened
    return fd


def _write_when_ready(fd: int, data: bytes) -> int:
    """write(2) to what waits when it is full, if it has room for a piece now. Raises OSError."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    if not poll.poll(0):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return os.write(fd, data)


def _send(fd: int, data: bytes) -> int:
    """write(2) to a socket, without waiting. Raises OSError."""
    sock = socket.socket(fileno=fd)
    try:
        return sock.send(data, socket.MSG_DONTWAIT)
    finally:
        sock.detach()


def _go_on_in(fd: int, number: int) -> Outlet:
    os.dup2(fd, number, inheritable=False)
    return outlet_of(number)


def _close(fd: int) -> None:
    if fd > 2:
        os.close(fd)
