"""A file of the system's that is read again when it has changed."""

import os
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from l4d.linux.sockets import LACK

T = TypeVar("T")

_LARGEST = 1 << 22
"""Bytes of a file that are looked at: lists of a hundred thousand hosts exist."""


class Watched(Generic[T]):
    """What the file at *path* says, by *parse*; *otherwise* while it cannot be read.

    While there is no descriptor to read it with, it says what it said.
    """

    def __init__(self, path: str, parse: Callable[[str], T], otherwise: T) -> None:
        self.path = path
        self.trouble = ""
        """Why the file could not be read when it was last looked at; "" when it could."""
        self._parse = parse
        self._otherwise = otherwise
        self._content = otherwise
        self._seen: tuple[int, int, int] | None = None

    def content(self) -> T:
        """As the file is now. It is read only if its time of change, its size or its inode is another one."""
        try:
            status = os.stat(self.path)
            seen = status.st_mtime_ns, status.st_size, status.st_ino
            if seen != self._seen:
                self._content, self._seen = self._parse(_text(self.path)), seen
            self.trouble = ""
        except OSError as error:
            self._seen = None
            self.trouble = f"{self.path}: {error.strerror}"
            if error.errno not in LACK:  # which would say nothing of the file
                self._content = self._otherwise
        return self._content


def _text(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")


def lines_of(text: str, comments: str) -> Iterator[list[str]]:
    """The words of each line that has any. What follows one of the letters *comments* is no part of a line."""
    for line in text.splitlines():
        for mark in comments:
            line = line.partition(mark)[0]  # noqa: PLW2901 - the line, shorter
        words = line.split()
        if words:
            yield words
