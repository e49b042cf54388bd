"""What a table of keys is made of: the kinds of value, the key, the section.

These only describe. reading.py takes values out of TOML by them, show.py writes values back.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from l4d.terms import Protocol, Word

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
    make: Callable[[Values], Any]  # from all keys, with the defaults of those that were not written
    take: Callable[[Any], Values | None]  # the way back; None: the single value says it all
    shorten: Callable[[Any], object] = _as_it_is
    examine: Callable[[Values, Collection[str]], Iterable[tuple[str, str]]] = lambda _values, _tried: ()
    """What is wrong with the values that were written, seen together: the key ("": the table), and the words.

    The second argument names what was written, or meant: also the keys whose values were wrong, which have no value.
    """
    counting: Callable[[Values], Values] = lambda values: values  # of the values that were written
    apart: bool = False  # it is shown under a header of its own


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
    only: tuple[Word, ...] = ()
    """What it is for: protocols of listeners, balances of upstreams, types of checks. Empty: all."""
    optional: bool = False

    @property
    def required(self) -> bool:
        return self.default is None and not self.optional

    def default_for(self, kind: Word) -> object:
        return self.udp_default if kind is Protocol.UDP and self.udp_default is not None else self.default

    def fits(self, kind: Word) -> bool:
        return not self.only or kind in self.only


@dataclass(frozen=True, slots=True)
class Section:
    """The keys of one kind of table, in the order they are shown, and those that later versions bring."""

    title: str
    keys: Mapping[str, Key]
    later: frozenset[str]


def section(title: str, *keys: Key, later: str = "") -> Section:
    """A section of *keys*; *later* names those of later versions, with spaces between."""
    return Section(title, {key.name: key for key in keys}, frozenset(later.split()))
