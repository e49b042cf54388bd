"""A terminal taken over for a while: pictures on its alternate screen, keys as they are typed, signals as events.

It is given back as it was by close(), and while we are stopped by Ctrl-Z. One that goes away is an OSError.
"""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.live import Live

from l4d.linux.signals import Signals

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_HEEDED = (*ENDING, signal.SIGWINCH, signal.SIGTSTP)


@dataclass(frozen=True, slots=True)
class Came:
    """What happened while we waited."""

    keys: str = ""
    ended_by: int = 0  # a signal that ends us; SIGHUP also when nothing can be typed any more


class Terminal:
    """Standard input and output, which must be one."""

    def __init__(self) -> None:
        self._input = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._input)
        self._console = Console(markup=False, highlight=False, emoji=False)
        self._screen: Live | None = None
        self._signals = Signals(heeded=_HEEDED)

    def take(self) -> None:
        """Have the screen, and each key as it is typed."""
        with _os_errors():
            tty.setcbreak(self._input)
        self._screen = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._screen.start()

    def close(self) -> None:
        """Give all back, if the terminal is still there."""
        try:
            with suppress(OSError):
                self._give_back()
        finally:
            self._signals.close()

    @property
    def width(self) -> int:
        return self._console.size.width

    @property
    def height(self) -> int:
        return self._console.size.height

    def show(self, picture: RenderableType) -> None:
        """Put *picture* in place of the last one."""
        assert self._screen is not None
        self._screen.update(picture, refresh=True)

    def wait(self, seconds: float) -> Came:
        """Until something happens, at most so long. Being stopped and going on again is dealt with here."""
        ready, _, _ = select.select([self._input, self._signals.fd], [], [], max(seconds, 0.0))
        came = self._signals.read() if self._signals.fd in ready else []
        if signal.SIGTSTP in came:
            self._stop()
        typed = os.read(self._input, 1024) if self._input in ready else None
        ended = [number for number in came if number in ENDING] or ([signal.SIGHUP] if typed == b"" else [])
        return Came((typed or b"").decode("ascii", "ignore"), ended[0] if ended else 0)

    def _stop(self) -> None:
        """As Ctrl-Z wants it; the line after the next one runs when the shell says `fg`."""
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self.take()

    def _give_back(self) -> None:
        try:
            if self._screen is not None:
                self._screen.stop()
        finally:
            self._screen = None
            with _os_errors():
                termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)


@contextmanager
def _os_errors() -> Iterator[None]:
    """What termios raises is not an OSError, though it says the same."""
    try:
        yield
    except termios.error as error:
        raise OSError(*error.args) from None
