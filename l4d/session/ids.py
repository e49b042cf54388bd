"""The numbers of sessions: each has one for its life, whichever workers it lives in.

    the worker's own 31 bits, drawn when it is born | 32 bits, counted

Two workers draw the same once in two thousand million times, so a number is as good as unique, and no process asks
another.
"""

import re
import secrets
from typing import Final

_WRITTEN: Final = re.compile(r"[0-9A-Fa-f]{16}")
_COUNTED: Final = 32
_DRAWN: Final = 31
"""Together less than 64 bits with a sign."""


class Ids:
    """Gives out the numbers of one worker."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = secrets.randbits(_DRAWN) << _COUNTED

    def take(self) -> int:
        """The next one."""
        self._last += 1
        return self._last


def id_text(number: int) -> str:
    """As people and programs see it: sixteen digits."""
    return format(number, "016x")


def id_number(text: str) -> int:
    """The number that is written so. Raises ValueError."""
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"{text!r:.40} is not sixteen hexadecimal digits")
    return int(text, 16)
