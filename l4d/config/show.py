"""The effective configuration as TOML, defaults included, in the order of the tables of keys.

Read back it gives an equal configuration, but for the names of the files.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from l4d.config.kinds import Kind, One, Section, Several, Table
from l4d.config.model import Config
from l4d.config.schema import LISTENER, LOG, MAIN, RESOLVER, UPSTREAM
from l4d.config.toml import written, written_key
from l4d.terms import Word


def show(config: Config) -> str:
    """*config* as an operator would write it, every key given."""
    return "\n".join(_lines(config)).lstrip("\n") + "\n"


def _lines(config: Config) -> Iterator[str]:
    yield from _table("main", MAIN, config.main)
    yield from _table("log", LOG, config.log)
    yield from _table("resolver", RESOLVER, config.resolver)
    for name, listener in config.listeners.items():
        yield from _table(f"listeners.{written_key(name)}", LISTENER, listener, listener.protocol)
    for name, upstream in config.upstreams.items():
        yield from _table(f"upstreams.{written_key(name)}", UPSTREAM, upstream, upstream.balance)


def _table(header: str, section: Section, values: object, kind: Word | None = None) -> Iterator[str]:
    """A table with those keys that are for *kind*, then the tables in it."""
    keys = [key for key in section.keys.values() if kind is None or key.fits(kind)]
    shown: dict[str, Any] = {key.name: plain(key.kind, getattr(values, key.name)) for key in keys}
    inner = [key.name for key in keys if _stands_apart(key.kind, shown[key.name])]
    yield from _lines_of(header, {name: value for name, value in shown.items() if name not in inner})
    for name in inner:
        yield from _lines_of(f"{header}.{name}", shown[name])


def _stands_apart(kind: Kind, value: object) -> bool:
    return isinstance(kind, Table) and kind.apart and isinstance(value, dict)


def _lines_of(header: str, table: Mapping[str, object]) -> Iterator[str]:
    yield ""
    yield f"[{header}]"
    for name, value in table.items():
        yield f"{name} = {_list(value) if isinstance(value, list) else written(value)}"


def _list(values: list[object]) -> str:
    """A list, one element a line unless there is but one."""
    if len(values) < 2:
        return written(values)
    return "[\n" + "".join(f"    {written(value)},\n" for value in values) + "]"


def plain(kind: Kind, value: object) -> object:
    """*value* in the form the operator writes, in values TOML has."""
    if isinstance(kind, One):
        return kind.write(value)
    if isinstance(kind, Several):
        assert isinstance(value, tuple)
        return [plain(kind.of, one) for one in value]
    values = kind.take(value)
    if values is None:
        return kind.shorten(value)
    return {name: plain(key.kind, values[name]) for name, key in kind.section.keys.items() if name in values}
