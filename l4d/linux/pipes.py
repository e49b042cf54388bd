"""Pipes for splice: their size decides what splicing is worth, and the kernel rations them.

With the default 64 KiB pipe, splicing one stream is slower than copying it (7.6 against 10.7 Gbit/s); with 1 MiB it is
faster (14.6). A user without CAP_SYS_RESOURCE may have /proc/sys/fs/pipe-user-pages-soft pages in pipes; beyond that
new pipes are tiny, so we stay within our share of it (pipe(7)).
"""

import contextlib
import fcntl
import os

SIZE = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
F_SETPIPE_SZ = 1031

_SOFT_LIMIT = "/proc/sys/fs/pipe-user-pages-soft"
_MAX_SIZE = "/proc/sys/fs/pipe-max-size"
_UNLIMITED_PAGES = 1 << 16


class Pipe:
    """A pipe, both ends non-blocking. It is empty when it is given back."""

    __slots__ = ("reader", "size", "writer")

    def __init__(self, size: int) -> None:
        """Raises OSError: out of descriptors, or the kernel grants no more pipe memory."""
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self.size = fcntl.fcntl(self.writer, F_SETPIPE_SZ, size)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


class Pipes:
    """A pool of pipes, at most *most* at a time."""

    KEPT = 8
    """Idle pipes kept for the next who asks."""

    def __init__(self, most: int, size: int) -> None:
        self.most = most
        self.size = size
        self.out = 0
        self._idle: list[Pipe] = []

    def take(self) -> Pipe | None:
        """An empty pipe, or None when there is none to be had; copying goes on then."""
        if self._idle:
            self.out += 1
            return self._idle.pop()
        if self.out >= self.most:
            return None
        with contextlib.suppress(OSError):
            pipe = Pipe(self.size)
            self.out += 1
            return pipe
        return None

    def give_back(self, pipe: Pipe, *, empty: bool) -> None:
        """Return a pipe; one that still holds bytes is closed with them."""
        self.out -= 1
        if empty and len(self._idle) < self.KEPT:
            self._idle.append(pipe)
        else:
            pipe.close()


def share(workers: int) -> Pipes:
    """The pool of one of *workers* processes, within what the kernel grants this user."""
    size = min(SIZE, _read_number(_MAX_SIZE, SIZE))
    pages = _read_number(_SOFT_LIMIT, 0) or _UNLIMITED_PAGES
    return Pipes(pages * PAGE // size // workers, size)


def _read_number(path: str, fallback: int) -> int:
    try:
        with open(path, "rb") as file:  # bytes: a codec imported now might lie where this user may not read
            return int(file.read())
    except (OSError, ValueError):
        return fallback
