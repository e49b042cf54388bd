"""A process of a run other than l4d: a server or a generator of traffic. What it says goes to a file."""

import subprocess
import sys
from pathlib import Path

from tests.chaos.facts import Fact, Ready, facts_in
from tests.kit.closing import Closing
from tests.kit.command import environment
from tests.kit.wait import wait_until

PATIENCE = 30.0
"""The longest that any of them may take to get ready, or to finish when its input has ended."""


class Actor(Closing):
    """One of the modules beside this one, started with *arguments*."""

    def __init__(self, folder: Path, module: str, *arguments: object) -> None:
        self.name = module
        files = len(list(folder.glob(f"{module}.*.errors")))
        self._said = folder / f"{module}.{files}"
        with self._said.open("wb") as said, (folder / f"{module}.{files}.errors").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"tests.chaos.{module}", *map(str, arguments)],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=errors,
            )
        self.pid = self._process.pid

    def facts(self) -> list[Fact]:
        """What it has said so far."""
        with self._said.open(encoding="utf-8") as lines:
            return list(facts_in(lines))

    def wait_ready(self) -> None:
        wait_until(f"{self.name} is ready", lambda: self.is_ready() or self.has_ended(), PATIENCE)
        assert not self.has_ended(), f"{self.name} has ended"

    def is_ready(self) -> bool:
        return any(isinstance(fact, Ready) for fact in self.facts())

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def end_input(self) -> None:
        """It is to finish."""
        assert self._process.stdin
        self._process.stdin.close()

    def finish(self) -> int:
        """Its exit status, once it has finished."""
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """KILL it, if it is still there, until it is gone."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        if self._process.stdin:
            self._process.stdin.close()
