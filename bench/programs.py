"""Outside programs: where they are, started in a folder of their own, ended by their own pid.

What a program says goes to a file. Whatever the run dies of, the kernel ends the programs with it.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGTERM, Signals
from types import TracebackType

ROOT = Path(__file__).parents[1]

_LONGEST_START = 30.0
_LONGEST_END = 10.0
_PAUSE = 0.005


class BenchError(Exception):
    """Something could not be measured. It is said, its place in the table stays empty, and the run goes on."""


def find_program(name: str) -> str | None:
    """The path of a program, also where distributions hide daemons from PATH."""
    places = [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/sbin"]
    return shutil.which(name, path=os.pathsep.join(places))


def wait_until(what: str, condition: Callable[[], bool], timeout: float = _LONGEST_START) -> None:
    """Raises BenchError when that does not come to be."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"waited {timeout:g} s in vain until {what}")
        time.sleep(_PAUSE)


def ours(module: str, *words: object) -> list[str]:
    """The command line of a load maker of ours."""
    return [sys.executable, "-m", f"bench.{module}", *map(str, words)]


class Process:
    """A program at work, ended with its `with` block."""

    def __init__(
        self,
        name: str,
        line: Sequence[str],
        output: Path,
        *,
        talks: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """*talks*: it is told what to do on its standard input, and answers in lines."""
        self.name = name
        self._output = output
        place = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "LC_ALL": "C"}
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *line],
                cwd=output.parent,
                env={**os.environ, **place, **(variables or {})},
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else file,
                stderr=file,
                text=True,
            )
        self.pid = self._process.pid

    def __enter__(self) -> "Process":  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.end()

    def output(self) -> str:
        """What it has said so far."""
        return self._output.read_text("utf-8", "replace")

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait_until(self, what: str, condition: Callable[[], bool], timeout: float = _LONGEST_START) -> None:
        """Raises BenchError, with its last words, when it ends before that."""
        wait_until(what, lambda: condition() or self.has_ended(), timeout)
        if self.has_ended():
            raise BenchError(f"{self.name} ended before {what}: {self.output().strip()[-500:]}")

    def finish(self, timeout: float) -> str:
        """Wait for its end, which must be a good one: what it said."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.end()
            raise BenchError(f"{self.name} did not end within {timeout:g} s") from None
        if status:
            raise BenchError(f"{self.name} ended with status {status}: {self.output().strip()[-500:]}")
        return self.output()

    def ask(self, question: str) -> str:
        """Tell one that talks, and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(question + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BenchError(f"{self.name} has ended: {self.output().strip()[-500:]}") from None
        answer = self._process.stdout.readline()
        if not answer:
            raise BenchError(f"{self.name} did not answer {question!r}: {self.output().strip()[-500:]}")
        return answer.strip()

    def end(self, by: Signals = SIGTERM) -> None:
        """By its pid, gently at first."""
        if not self.has_ended():
            self._process.send_signal(by)
        try:
            self._process.wait(_LONGEST_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
