"""Outside programs as processes of ours: clients run to their end, servers until their `with` block ends.

    with Redis(tmp_path) as redis:
        run("redis-cli", "-p", redis.port, "ping")

Whatever pytest dies of, the kernel ends them with it. The servers themselves: tests/kit/servers.py.
"""

import os
import re
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM, Signals
from typing import TypeAlias

from l4d.address import Address, Inet
from tests.kit.closing import Closing
from tests.kit.needs import find_program
from tests.kit.ports import free_port
from tests.kit.wait import wait_until

LOOPBACK = "127.0.0.1"

Word: TypeAlias = str | int | Path
"""Of a command line."""

IS_ROOT = os.geteuid() == 0


def run(*line: Word, stdin: str = "", timeout: float = 60) -> str:
    """Run a client to its end, which must be a good one: what it printed."""
    words = _words(line)
    done = subprocess.run(
        words, env=_environment(), input=stdin, capture_output=True, text=True, check=False, timeout=timeout
    )
    assert done.returncode == 0, f"{words} ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def _words(line: Sequence[Word]) -> list[str]:
    program, *others = map(str, line)
    return [find_program(program) or program, *others]


def _environment() -> dict[str, str]:
    """Ours, without what would lead clients elsewhere or make them speak another language."""
    elsewhere = re.compile("PG|SSH_|REDISCLI_|RSYNC_|.*_proxy$", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if not elsewhere.match(name)} | {"LC_ALL": "C"}


class Running(Closing):
    """A program at work. What it says goes to a file."""

    def __init__(self, folder: Path, *line: Word, user: str = "", end_by: Signals = SIGTERM) -> None:
        """As *user*, when we are root."""
        self._line = _words(line)
        self._output = folder / f"{Path(self._line[0]).name}.output"
        self._end_by = end_by
        somebody = ["--reuid", user, "--regid", user, "--init-groups"] if user and IS_ROOT else []
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *somebody, *self._line],
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def output(self) -> str:
        return self._output.read_text("utf-8", "replace")

    def signal(self, number: Signals) -> None:
        """Signal the program's first process."""
        self._process.send_signal(number)

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def finish(self, timeout: float = 60) -> str:
        """Wait for its end, which must be a good one: what it said."""
        wait_until(f"{self._line} has ended", self.has_ended, timeout)
        assert self._process.returncode == 0, f"{self._line} failed:\n{self.output()}"
        return self.output()

    def close(self) -> None:
        if not self.has_ended():
            self._process.send_signal(self._end_by)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


class Program(Running):
    """A server at work: it has been asked and has answered, or has said so."""

    def __init__(
        self, folder: Path, port: int, *line: Word, user: str = "", end_by: Signals = SIGTERM, ready: str = ""
    ) -> None:
        """It is ready when it says *ready*; without such a word, when it accepts a connection."""
        super().__init__(folder, *line, user=user, end_by=end_by)
        self.port = port
        self.address = Inet(LOOPBACK, port)
        self._ready = ready
        try:
            wait_until(f"{self._line} is ready", lambda: self._is_ready() or self.has_ended(), 30)
            assert not self.has_ended(), f"{self._line} ended:\n{self.output()}"
        except BaseException:
            self.close()
            raise

    def _is_ready(self) -> bool:
        return self._ready in self.output() if self._ready else _accepts(self.address)


def _accepts(address: Inet) -> bool:
    with suppress(OSError), socket.create_connection((address.host, address.port), timeout=1):
        return True
    return False


def port_of(address: Address) -> int:
    """For a client that is told a port."""
    assert isinstance(address, Inet)
    return address.port


def free_port_of_both() -> int:
    """A port free a moment ago for TCP and for UDP."""

    def found() -> int:
        port = free_port()
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK, port))
            return port
        return 0

    return wait_until("a port is free for TCP and UDP", found)
