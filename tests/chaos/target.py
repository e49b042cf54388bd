"""The l4d of a run, seen from outside: who its master is now, which processes it has, where it can be reached."""

import os
import re
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

from l4d.address import Inet
from tests.chaos.settings import Servers, Settings, toml
from tests.kit import Daemon, processes, wait_until

PATIENCE = 30.0
"""The longest that l4d may take to be what it is told to be, on a machine that has much else to do."""


class Target:
    """One l4d, whose master may be another process from time to time."""

    def __init__(self, folder: Path, servers: Servers) -> None:
        self.settings = Settings()
        self._servers = servers
        self._pid_file = folder / "l4d.pid"
        self.daemon = Daemon(self._toml(self.settings), folder)
        self.config = self.daemon.config
        self._master = self.daemon.pid
        self.ports = {name: self._port(name) for name in ("echo", "flows", "stream", "postgres")}

    def write(self, settings: Settings) -> None:
        """The file says so from now on."""
        self.settings = settings
        self.daemon.write(self._toml(settings))

    @property
    def pid(self) -> int:
        """The master: whoever the pid file names, or named last."""
        with suppress(FileNotFoundError, ValueError):
            self._master = int(self._pid_file.read_text("utf-8"))
        return self._master

    def signal(self, number: Signals) -> None:
        """Signal the master."""
        os.kill(self.pid, number)

    def generations(self) -> list[str]:
        """The numbers of those that have become ready so far."""
        return re.findall(r"ready: generation (\d+)", self.daemon.log())

    def processes(self) -> dict[int, str]:
        """Every process that came from the first master, with its title."""
        return {pid: processes.title(pid) for pid in self.daemon.processes()}

    def workers(self) -> list[int]:
        """All there are, those that leave too."""
        return _of("worker", self.processes())

    def control(self) -> list[int]:
        return _of("control", self.processes())

    def is_settled(self) -> bool:
        """Whether there are as many processes as the file asks for, and no more."""
        now = self.processes()
        titled = [len(_of(role, now)) for role in ("master", "worker", "control")]
        return titled == [1, self.settings.workers, 1] and len(now) == sum(titled)

    def stop(self) -> None:
        """TERM, until nothing is left; and nothing of ours must have gone wrong."""
        self.signal(SIGTERM)
        wait_until("no process of l4d is left", lambda: not self.daemon.processes(), PATIENCE)
        self.daemon.kill()
        self.daemon.check_log()

    def kill(self) -> None:
        """Leave nothing behind."""
        for pid in self.daemon.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
        self.daemon.kill()

    def _toml(self, settings: Settings) -> str:
        return toml(settings, self._servers, str(self._pid_file))

    def _port(self, listener: str) -> int:
        address = self.daemon.address(listener)
        assert isinstance(address, Inet)
        return address.port


def _of(role: str, titles: dict[int, str]) -> list[int]:
    return sorted(pid for pid, title in titles.items() if title.startswith(f"l4d: {role} process"))
