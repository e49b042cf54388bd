"""The pid file, held by a lock (flock(2)) as long as its process lives: a file without the lock is stale."""

import contextlib
import fcntl
import os

from l4d.errors import StartError


class PidFile:
    """The running master's pid file."""

    def __init__(self, path: str, locked: int = -1) -> None:
        """Take the lock; the file is empty until `write`. Raises StartError: another one holds it, or no right.

        *locked* is a descriptor of the file with the lock on it, from the master that had it.
        """
        self.path = path
        self.fd = locked if locked >= 0 else _take(path)

    def write(self, pid: int) -> None:
        """Let the file say who runs. A disk without room for it is not worth a stop: the lock is what counts."""
        line = f"{pid}\n".encode()
        with contextlib.suppress(OSError):
            os.pwrite(self.fd, line, 0)
            os.ftruncate(self.fd, len(line))  # afterwards: nobody finds the file empty at an upgrade

    def remove(self) -> None:
        """The master leaves. A file that somebody has put in the place of ours stays."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(self.fd), os.stat(self.path)):
                os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Another master has the file, and the lock with it."""
        os.close(self.fd)


def _take(path: str) -> int:
    """The file's descriptor, locked; the file is empty. Raises StartError."""
    fd = _open(path)
    while os.fstat(fd).st_nlink == 0:  # the former one removed it between our opening and locking it
        os.close(fd)
        fd = _open(path)
    with contextlib.suppress(OSError):
        os.ftruncate(fd, 0)  # what a stale file says is nobody's pid, or a stranger's
    return fd


def _open(path: str) -> int:
    """The file's descriptor, locked. Raises StartError."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
    except OSError as error:
        raise StartError(f"cannot write the pid file {path} (main.pid_file): {error.strerror}") from None
    try:
        if _lock(fd):
            return fd
        raise StartError(f"l4d is already running as pid {_read(fd)} (pid file {path})")
    except OSError as error:
        os.close(fd)
        raise StartError(f"cannot lock the pid file {path} (main.pid_file): {error.strerror}") from None
    except StartError:
        os.close(fd)
        raise


def succeed(held: PidFile | None, locked: PidFile | None, wanted: str) -> PidFile | None:
    """The pid file after a reload that wants it at *wanted* ("": none), and has *locked* it if it was not *held*."""
    if held is not None and held.path != wanted:
        held.remove()
        held = None
    pid_file = locked or held
    if pid_file is not None:
        pid_file.write(os.getpid())
    return pid_file


def find_running(path: str) -> int:
    """The pid of the master that holds the pid file. Raises StartError, saying why there is none."""
    if not path:
        raise StartError("main.pid_file is not set, so a running l4d cannot be found by it; set it, or use kill")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StartError(f"no l4d is running: {path}: {error.strerror}") from None
    try:
        if _lock(fd):
            raise StartError(f"no l4d is running: {path} is stale")
        return _read(fd)
    finally:
        os.close(fd)


def holder(path: str) -> int:
    """The pid of the l4d that has this pid file; 0: none has, or it cannot be read; -1: one that is only starting."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return 0  # whoever wants to write it will say why it cannot be
    try:
        return 0 if _lock(fd) else _read(fd)
    except StartError:
        return -1
    finally:
        os.close(fd)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(fd: int) -> int:
    text = os.pread(fd, 32, 0).strip()
    if not text.isdigit():
        raise StartError("l4d is starting, and has not written its pid file yet")
    return int(text)
