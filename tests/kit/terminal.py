"""A terminal with a program on it: what it shows, what is typed, and how it leaves the terminal.

with Terminal(*L4D, "top") as terminal:
    terminal.wait_for("q quit")
    terminal.type("q")
    assert terminal.finish() == 0
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.kit.closing import Closing
from tests.kit.command import environment
from tests.kit.wait import TIMEOUT, is_readable, wait_until

_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78])")


def _plain_environment() -> dict[str, str]:
    """Ours, without what would say more than the terminal itself."""
    told = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
    return {name: value for name, value in environment().items() if name not in told}


class Terminal(Closing):
    """One program, whose controlling terminal this is."""

    def __init__(
        self, *line: str | Path, columns: int = 80, rows: int = 24, extra: Mapping[str, str] | None = None
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs  # held open, so that the terminal can be looked at after the program's end
        self._raw = b""
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "setsid", "--ctty", *map(str, line)],
            env=_plain_environment() | {"TERM": "xterm-256color", **(extra or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        self.pid = self._process.pid

    @property
    def raw(self) -> str:
        """All that was written so far."""
        while self._ours >= 0 and is_readable(self._ours):
            self._raw += os.read(self._ours, 65536)
        return self._raw.decode("utf-8", "replace")

    @property
    def shown(self) -> str:
        """The same without what steers the terminal."""
        return _CONTROL.sub("", self.raw)

    def wait_for(self, words: str, times: int = 1) -> None:
        """Until *words* were shown so many times."""
        self._wait(f"the terminal shows {words!r}", lambda: self.shown.count(words) >= times)

    def _wait(self, what: str, condition: Callable[[], object]) -> None:
        try:
            wait_until(what, condition)
        except AssertionError as error:
            raise AssertionError(f"{error}; it has shown:\n{self.shown[-3000:]}") from None

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """As a window does; the program is told."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """The window is closed, or the connection lost."""
        os.close(self._ours)
        self._ours = -1

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def is_as_before(self) -> bool:
        """Whether keys are treated as they were, the alternate screen is left, and the cursor is there."""
        modes = termios.tcgetattr(self._theirs) == self.before
        screen = self.raw.rfind("\x1b[?1049l") >= self.raw.rfind("\x1b[?1049h")
        cursor = self.raw.rfind("\x1b[?25h") >= self.raw.rfind("\x1b[?25l")
        return modes and screen and cursor

    def finish(self) -> int:
        """Its exit status, once it has ended; negative: the signal."""
        self._wait("the program has ended", self._has_ended)
        return self._process.returncode

    def _has_ended(self) -> bool:
        self.raw  # noqa: B018 - one that waits for its terminal to be read never ends
        return self._process.poll() is not None

    def close(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(TIMEOUT)
        os.close(self._theirs)
        if self._ours >= 0:
            os.close(self._ours)
