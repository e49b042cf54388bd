"""l4d as a daemon: `l4d -d`, found again by its pid file."""

import os
import textwrap
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

from tests.kit import processes
from tests.kit.closing import Closing
from tests.kit.command import command
from tests.kit.wait import wait_until


class Background(Closing):
    """A running `l4d -d`. Its pid file and its log are in *folder*, added to the configuration given."""

    def __init__(self, toml: str, folder: Path) -> None:
        self.pid_file = folder / "l4d.pid"
        self._log_file = folder / "l4d.log"
        self.config = folder / "l4d.toml"
        self.config.write_text(textwrap.dedent(toml))
        where = [f"main.pid_file={self.pid_file}", f"log.error={self._log_file}", "main.workers=2"]
        self.started = command("-d", "-c", self.config, *(word for each in where for word in ("--set", each)))
        assert self.started.returncode == 0, self.started.stderr
        self.pid = int(self.pid_file.read_text("utf-8"))

    def log(self) -> str:
        return self._log_file.read_text("utf-8")

    def workers(self) -> list[int]:
        return [pid for pid in processes.children(self.pid) if processes.title(pid) == "l4d: worker process"]

    def signal(self, number: Signals) -> None:
        os.kill(self.pid, number)

    def close(self) -> None:
        if not processes.is_alive(self.pid):
            return
        os.kill(self.pid, SIGTERM)
        try:
            wait_until("the daemon has ended", lambda: not processes.is_alive(self.pid))
        except AssertionError:
            os.kill(self.pid, SIGKILL)
            raise
