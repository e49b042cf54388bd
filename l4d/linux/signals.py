"""Signals as readable bytes: handlers only note, the loop acts.

Python writes the number of each signal that comes into a socket (signal.set_wakeup_fd); the loop reads it like any
other descriptor.
"""

import signal
import socket
from collections.abc import Iterable
from types import FrameType


class Signals:
    """The signals of this process, one at a time in order of arrival."""

    def __init__(self, heeded: Iterable[signal.Signals], ignored: Iterable[signal.Signals] = ()) -> None:
        """*heeded* are told through `fd`, *ignored* do nothing; the others keep what they do."""
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        numbers = list(heeded)
        for number in numbers:
            signal.signal(number, _note)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        # Blocked signals stay so over an exec: what our starter was spared is none of our affair.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)

    @property
    def fd(self) -> int:
        """Readable when a signal has come."""
        return self._reader.fileno()

    def read(self) -> list[int]:
        """The numbers that came since."""
        try:
            return list(self._reader.recv(4096))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """No signal is told any more."""
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()


def _note(_number: int, _frame: FrameType | None) -> None:
    """The number is on its way through the wakeup descriptor."""
