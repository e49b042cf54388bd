"""What differs between two effective configurations, key by key: the one in force, and the one a reload would bring.

Both are the TOML that show.py writes, parsed. Listeners, upstreams and servers are known by their names.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from l4d.config.toml import written, written_key

Document: TypeAlias = Mapping[str, Any]

KeyPath: TypeAlias = tuple[str, ...]
"""The way to what differs: ("upstreams", "pg", "servers", "two", "weight")."""

_NAMED = ("listeners", "upstreams")
_LONGEST = 70


class Kind(enum.Enum):
    """How it differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"  # servers stand in another order


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. What is added has no *before*, what is removed no *after*."""

    path: KeyPath
    kind: Kind
    before: Any = None
    after: Any = None

    @property
    def key(self) -> str:
        """As an operator knows it: `upstreams.pg.servers.two.weight`."""
        return ".".join(written_key(part) for part in self.path)

    @property
    def words(self) -> str:
        """What is changed, in short: `"10m" -> "5m"`, `removed`."""
        if self.kind is Kind.CHANGED:
            return f"{_short(self.before)} -> {_short(self.after)}"
        if self.kind is Kind.MOVED:
            return "in another order"
        if self.kind is Kind.ADDED and not isinstance(self.after, dict):
            return f"{_short(self.after)}, added"
        return str(self.kind.value)


def _short(value: object) -> str:
    text = written(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def compare(before: Document, after: Document) -> list[Change]:
    """What a reload from *before* to *after* would change, in the order of *after*; what is removed comes last."""
    return [change for name in _names(before, after) for change in _tables((name,), before.get(name), after.get(name))]


def _names(before: Document, after: Document) -> list[str]:
    return [*after, *(name for name in before if name not in after)]


def _tables(path: KeyPath, before: object, after: object) -> Iterator[Change]:
    """One table at the top; of listeners and upstreams each one in it."""
    old, new = _table(before), _table(after)
    if path[0] not in _NAMED:
        yield from _keys(path, old, new)
        return
    for name in _names(old, new):
        yield from _whole((*path, name), old.get(name), new.get(name), _keys)


def _table(value: object) -> Document:
    return value if isinstance(value, dict) else {}


def _whole(path: KeyPath, before: object, after: object, inside: Any) -> Iterator[Change]:
    """One thing with a name: it is there on one side only, or the same but for what is *inside*."""
    if before is None:
        yield Change(path, Kind.ADDED, after=after)
    elif after is None:
        yield Change(path, Kind.REMOVED, before=before)
    else:
        yield from inside(path, _table(before), _table(after))


def _keys(path: KeyPath, before: Document, after: Document) -> Iterator[Change]:
    """The keys of one table.

    One that only *before* has belongs to something else that has changed, as hash_key to the balance. So do those that
    come with another protocol.
    """
    same_kind = before.get("protocol") == after.get("protocol")
    for name, new in after.items():
        old = before.get(name)
        here = (*path, name)
        if name == "servers":
            yield from _servers(here, _by_name(old), _by_name(new))
        elif name not in before:
            if same_kind:
                yield Change(here, Kind.ADDED, after=new)
        elif isinstance(old, dict) and isinstance(new, dict):
            yield from _keys(here, old, new)
        elif old != new:
            yield Change(here, Kind.CHANGED, old, new)


def _by_name(servers: object) -> dict[str, Document]:
    members = servers if isinstance(servers, list) else []
    return {str(one.get("name")): one for one in members if isinstance(one, dict)}


def _servers(path: KeyPath, before: dict[str, Document], after: dict[str, Document]) -> Iterator[Change]:
    for name in _names(before, after):
        yield from _whole((*path, name), before.get(name), after.get(name), _keys)
    stay = [name for name in before if name in after]
    if stay != [name for name in after if name in before]:
        yield Change(path, Kind.MOVED)
