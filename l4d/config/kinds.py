"""What a table of keys is made of: the kinds of value, the key, the section.

These only describe. reading.py takes values out of TOML by them, show.py writes values back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from l4d.terms import Protocol

Values: TypeAlias = dict[str, Any]
"""What was read in a section, by the name of the key."""


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True, slots=True)
class One:
    """A single value. `read` raises values.Wrong; what `write` gives, `read` takes."""

    read: Callable[[object], Any]
    write: Callable[[Any], object] = _as_it_is


@dataclass(frozen=True, slots=True)
class Several:
    """A list of values of a kind, or one of them without the list around it."""

    of: "One | Table"
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """An inline table with keys of its own, or a single value that stands for one."""

    section: "Section"
    short: One
    from_short: Callable[[Any], Values]  # what of the table the single value says
    make: Callable[[Values], Any]
    take: Callable[[Any], Values | None]  # the way back; None: the single value says it all
    shorten: Callable[[Any], object] = _as_it_is


Kind: TypeAlias = One | Several | Table


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its name, the sentence that explains it, how it is read, and its default as an operator writes it.

    A key without default must be given, unless `optional` is set: then something else is derived from its absence.
    """

    name: str
    kind: Kind
    default: object
    why: str
    udp_default: object = None  # where the default of a udp listener is another
    only: Protocol | None = None  # the listeners it is for; None: all
    optional: bool = False

    @property
    def required(self) -> bool:
        return self.default is None and not self.optional

    def default_for(self, protocol: Protocol) -> object:
        return self.udp_default if protocol is Protocol.UDP and self.udp_default is not None else self.default

    def fits(self, protocol: Protocol) -> bool:
        return self.only in {None, protocol}


@dataclass(frozen=True, slots=True)
class Section:
    """The keys of one kind of table, in the order they are shown, and those that later versions bring."""

    title: str
    keys: Mapping[str, Key]
    later: frozenset[str]


def section(title: str, *keys: Key, later: str = "") -> Section:
    """A section of *keys*; *later* names those of later versions, with spaces between."""
    return Section(title, {key.name: key for key in keys}, frozenset(later.split()))
