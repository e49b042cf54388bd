"""The real l4d as a process of its own, started on a configuration given inline.

It counts as started once it says "ready", and its ports are read from what it logs. Stopping it proves that it ended
as it should: exit status 0, no traceback in its log, and no process left behind.
"""

import os
import re
import subprocess
import textwrap
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM, SIGUSR2, Signals
from typing import Protocol

from l4d.address import Address, Inet, Unix
from tests.kit import processes
from tests.kit.command import L4D, environment
from tests.kit.tcp import Client
from tests.kit.udp import UdpClient
from tests.kit.wait import TIMEOUT, wait_until

_UPGRADED = re.compile(r"upgraded: pid (\d+) is l4d now")
_READY = re.compile(r"ready: generation (\d+)")
_LISTENING = re.compile(r"listening on (?:tcp|udp) (\S+) \(listeners\.([^)\s]+)\)")
_BUGS = ("Traceback", "AssertionError", "Exception ignored", "Warning: ")


class Start(Protocol):
    """The fixture `start`: l4d on this configuration, ready to serve."""

    def __call__(self, toml: str, *args: str) -> "Daemon": ...


class Daemon:
    """One running l4d. With two workers, unless the file says how many.

    `pid` is the process that was started; after an upgrade `master` is another one.
    """

    def __init__(self, toml: str, folder: Path, args: Sequence[str] = (), program: Sequence[str] = L4D) -> None:
        self.folder = folder
        self.config = folder / "l4d.toml"
        self._stderr = folder / "stderr"
        self._log_file: Path | None = None
        self.write(toml)
        workers = () if "workers" in toml else ("--set", "main.workers=2")
        line = [*program, "-c", str(self.config), *workers, *args]
        # The kernel kills l4d when pytest dies without cleaning up, say at a timeout.
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *line],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,  # so that every process that comes from it can be found
            )
        self.pid = self._process.pid
        try:
            wait_until("l4d is ready", lambda: self.generation() or self.has_ended())
            assert self.generation(), f"l4d ended with status {self._process.returncode}:\n{self.log()}"
        except BaseException:
            self.kill()
            raise

    def write(self, toml: str) -> None:
        """Replace the configuration file, as an editor does. l4d learns of it by `reload` or a signal."""
        text = textwrap.dedent(toml)
        named = re.search(r'^error = "(.*/.*)"', text, re.MULTILINE)
        self._log_file = self.folder / named[1] if named else self._log_file
        draft = self.folder / "l4d.toml.new"
        draft.write_text(text)
        draft.rename(self.config)

    # What it says.

    def log(self) -> str:
        """All it has logged so far, wherever its configuration sends that, and what it wrote beside the log."""
        files = [self._stderr, self._log_file] if self._log_file else [self._stderr]
        return "".join(file.read_text("utf-8", "replace") for file in files if file.is_file())

    def wait_log(self, words: str, times: int = 1) -> None:
        """Until the log has said *words* so many times."""
        self._wait(f"the log says {words!r}", lambda: self.log().count(words) >= times)

    def generation(self) -> int:
        """The last generation that became ready; 0: none yet."""
        return max((int(number) for number in _READY.findall(self.log())), default=0)

    def addresses(self, listener: str = "") -> list[Address]:
        """Where *listener*, or any, can be reached, in the order they were bound, the real ports."""
        found = [_address(text) for text, name in _LISTENING.findall(self.log()) if listener in {"", name}]
        return list(dict.fromkeys(found))

    def address(self, listener: str = "") -> Address:
        """Where *listener* can be reached: the newest address of it. Without a name: of the only listener."""
        found = self.addresses(listener)
        assert found, f"no listener {listener!r} in the log:\n{self.log()}"
        return found[-1]

    @property
    def master(self) -> int:
        """The process that is l4d now."""
        return int((_UPGRADED.findall(self.log()) or [self.pid])[-1])

    # What it serves.

    def client(self, listener: str = "") -> Client:
        return Client(self.address(listener))

    def udp_client(self, listener: str = "") -> UdpClient:
        return UdpClient(self.address(listener))

    # What it is made of.

    def workers(self) -> list[int]:
        """The workers that take clients now; those about to leave are not among them."""
        titles = {pid: processes.title(pid) for pid in processes.children(self.master)}
        return sorted(pid for pid, title in titles.items() if title == "l4d: worker process")

    def processes(self) -> list[int]:
        """The master and everything that came from it."""
        return processes.of_session(self.pid)

    def has_ended(self) -> bool:
        """Whether the present master has."""
        started = self._process.poll() is None  # reaps it, too
        return not (started if self.master == self.pid else processes.is_alive(self.master))

    # What it is told.

    def signal(self, number: Signals) -> None:
        """Signal the master."""
        os.kill(self.master, number)

    def reload(self, toml: str | None = None) -> None:
        """HUP, with a new configuration when one is given, until the next generation is ready."""
        before = self.generation()
        if toml is not None:
            self.write(toml)
        self.signal(SIGHUP)
        self._wait(f"a generation after {before} is ready", lambda: self.generation() > before)

    def upgrade(self) -> None:
        """USR2, until the program on disk is l4d and the next generation is ready."""
        before, last = self.generation(), self.master
        self.signal(SIGUSR2)
        # Each of the two masters says its part, in no certain order.
        self._wait(f"a generation after {before} is ready", lambda: self.generation() > before and self.master != last)

    def hand_over(self, toml: str | None = None) -> None:
        """Reload, until the workers of before are gone."""
        before = self.generation()
        self.reload(toml)
        self.wait_log(f"generation {before} is gone")

    def wait(self, timeout: float = TIMEOUT) -> int:
        """The exit status of the process that was started, once l4d has ended."""
        self._wait("l4d has ended", lambda: self.has_ended() and self._process.poll() is not None, timeout)
        return self._process.returncode

    def stop(self, number: Signals = SIGTERM) -> None:
        """End it, and prove that it ended well. Again: nothing happens."""
        if self.has_ended():
            return
        self.signal(number)
        try:
            status = self.wait()
            assert status == 0, f"l4d ended with status {status}:\n{self.log()}"
            self._wait("no process of l4d is left", lambda: not self.processes())
        finally:
            self.kill()
        self.check_log()

    def check_log(self) -> None:
        """Nothing of ours went wrong so far."""
        log = self.log()
        found = [words for words in _BUGS if words in log]
        assert not found, f"{found} in the log:\n{log}"

    def kill(self) -> None:
        """KILL the master, and its children once they are orphans. Leaves nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pid in self.processes():
            _kill(pid)

    def _wait(self, what: str, condition: Callable[[], bool], timeout: float = TIMEOUT) -> None:
        try:
            wait_until(what, condition, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; the log:\n{self.log()}") from None


def _address(text: str) -> Address:
    if text.startswith("unix:"):
        return Unix(text.removeprefix("unix:"))
    host, _, port = text.rpartition(":")
    return Inet(host.strip("[]"), int(port))


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, SIGKILL)
