"""The configuration as written: one tree out of all its files, and where each key of it stands."""

from dataclasses import dataclass
from typing import Any

from l4d.config.positions import KeyPath, dotted
from l4d.config.problems import Place, Problems
from l4d.config.values import described

_OPEN: tuple[KeyPath, ...] = (
    *(("main",), ("log",), ("admin",), ("resolver",), ("listeners",), ("upstreams",)),
    *(("defaults",), ("defaults", "listeners"), ("defaults", "upstreams")),
)
"""The tables to which several files may add. Every other thing is defined once."""


@dataclass(slots=True)
class Document:
    """What reading fills, and understanding empties of problems or refuses."""

    tree: dict[str, Any]
    places: dict[KeyPath, Place]
    files: list[str]
    problems: Problems

    def merge(self, tree: dict[str, Any], places: dict[KeyPath, Place]) -> None:
        """Adds the content of one more file. What is there already stays, and its second definition is a problem."""
        self._merge(self.tree, tree, (), places)
        for path, place in places.items():
            self.places.setdefault(path, place)

    def _merge(self, into: dict[str, Any], tree: dict[str, Any], at: KeyPath, places: dict[KeyPath, Place]) -> None:
        for name, value in tree.items():
            path = (*at, name)
            if name not in into:
                into[name] = value
            elif path in _OPEN and isinstance(into[name], dict) and isinstance(value, dict):
                self._merge(into[name], value, path, places)
            else:
                self.problems.add_twice(path, places[path])

    def replace(self, path: KeyPath, value: object, place: Place) -> str:
        """Sets the key at *path*, making tables on the way; returns what is in the way, if anything is."""
        table = self.tree
        for depth, part in enumerate(path[:-1], start=1):
            self.places.setdefault(path[:depth], place)
            table = table.setdefault(str(part), {})
            if not isinstance(table, dict):
                return f"'{part}' is {described(table)} there; set it as a whole: {dotted(path[:depth])}={{ ... }}"
        for stale in [known for known in self.places if known[: len(path)] == path]:
            del self.places[stale]
        table[str(path[-1])] = value
        self.places[path] = place
        return ""
