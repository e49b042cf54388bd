"""What is wrong with a configuration, noted by key and given the file and line where the key stands."""

from collections.abc import Mapping
from typing import NamedTuple

from l4d.config.positions import KeyPath, dotted
from l4d.errors import ConfigError, Problem


class Place(NamedTuple):
    """A line of a file; 0 is the file as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Problems:
    """All that was found wrong so far, and where things stand."""

    def __init__(self, places: Mapping[KeyPath, Place], whole: Place) -> None:
        self._places = places
        self._whole = whole  # the place of what stands nowhere
        self._found: list[Problem] = []
        self._wrong: set[KeyPath] = set()  # what was found wrong, and all it is in

    def add(self, path: KeyPath, message: str) -> None:
        """Notes that the key at *path* is wrong."""
        self._found.append(Problem(*self.place(path), dotted(path), message))
        self._wrong.update(path[:length] for length in range(len(path) + 1))

    def add_at(self, place: Place, key: str, message: str) -> None:
        """Notes what is wrong at *place*, where no key of the configuration may stand."""
        self._found.append(Problem(*place, key, message))

    def add_twice(self, path: KeyPath, again: Place) -> None:
        """Notes that what stands at *path* was defined once more, at *again*."""
        self.add_at(again, dotted(path), f"is defined twice; first at {self.place(path)}")

    def add_clash(self, path: KeyPath, what: str, owner: KeyPath) -> None:
        """Notes that *what*, wanted at *path*, belongs to *owner*."""
        self.add(path, f"{what} is bound twice; first by {dotted(owner)} at {self.place(owner)}")

    def take(self, others: "Problems") -> None:
        """Adds what was found wrong in another part."""
        self._found += others._found

    def place(self, path: KeyPath) -> Place:
        """Where *path* stands, or, where it was not written, the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return self._whole

    def within(self, path: KeyPath) -> bool:
        """Whether the value at *path* was found wrong, or anything in it."""
        return path in self._wrong

    def stop_if_any(self, files: list[str]) -> None:
        """Raises ConfigError with all problems, in the order of *files* and lines; --set comes last."""
        if self._found:
            order = {file: index for index, file in enumerate(files)}
            raise ConfigError(sorted(self._found, key=lambda one: (order.get(one.file, len(files)), one)))
