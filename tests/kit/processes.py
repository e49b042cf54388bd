"""What /proc says of a process."""

import gc
import os
from pathlib import Path
from signal import SIGSTOP

from tests.kit.wait import wait_until


def is_alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    return state(pid) not in {"", "Z", "X"}


def state(pid: int) -> str:
    """R, S, T (stopped), Z (a zombie) and so on, as in ps; "" when it is gone."""
    return "".join(_stat(pid)[:1])


def freeze(pid: int) -> None:
    """Let the process stand still (SIGSTOP), until it is told to go on or killed."""
    os.kill(pid, SIGSTOP)
    wait_until(f"process {pid} stands still", lambda: _stat(pid)[:1] == ["T"])


def children(pid: int) -> list[int]:
    return [child for child in _all() if _stat(child)[1:2] == [str(pid)]]


def of_session(leader: int) -> list[int]:
    """Every living process of the session that *leader* began, however it came to be there."""
    return [pid for pid in _all() if _stat(pid)[3:4] == [str(leader)] and is_alive(pid)]


def title(pid: int) -> str:
    """What ps shows as the command, "" for a process that is gone."""
    return _read(pid, "cmdline").replace("\0", " ").strip()


def descriptors(pid: int) -> int:
    """How many descriptors the process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def own_descriptors() -> int:
    """How many this process has open, when what earlier tests have left to the collector is closed."""
    gc.collect()
    return descriptors(os.getpid())


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: state, parent, group, session, ...; empty when it is gone."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
