"""What a check that failed says: one short printable line, whatever a server has sent."""

import os
from typing import TypeGuard

LONGEST = 200
"""The most characters of a reason. A log line has room for it, and a server's essay is cut."""


def one_line(text: str, most: int = LONGEST) -> str:
    """*text* on one line of at most *most* characters: white space is one space, what cannot be printed is escaped."""
    words = " ".join(text[: 4 * most].split())
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in words)
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def quoted(data: bytes, most: int = 60) -> str:
    """The beginning of what a server has sent, in quotes, for a reason."""
    return f"'{one_line(data[: 4 * most].decode('utf-8', 'replace'), most)}'"


def reason(error: BaseException) -> str:
    """What *error* says, as a reason: for one of the system's its own words, "connection refused"."""
    if is_of_the_system(error):  # asyncio puts "Connect call failed (...)" in the place of the words
        return os.strerror(error.errno or 0).lower()
    return one_line(str(error)) or type(error).__name__


def is_of_the_system(error: BaseException) -> TypeGuard[OSError]:
    """Whether *error* has a number of errno(3). OpenSSL's are OSErrors, too, with numbers of their own."""
    return isinstance(error, OSError) and bool(error.errno) and not hasattr(error, "library")
