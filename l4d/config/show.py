"""The effective configuration as TOML, defaults included, in the order of the tables of keys.

Read back it gives an equal configuration, but for the names of the files.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from l4d.config.kinds import Kind, One, Section, Several, Table, Values
from l4d.config.model import Config
from l4d.config.schema import ADMIN, LISTENER, LOG, MAIN, RESOLVER, UPSTREAM
from l4d.config.toml import written, written_key
from l4d.terms import Word


def show(config: Config) -> str:
    """*config* as an operator would write it, every key given."""
    return "\n".join(_lines(effective(config))).lstrip("\n") + "\n"


def effective(config: Config) -> dict[str, Values]:
    """The same as values that TOML, and JSON, have."""
    return {
        "main": _values(MAIN, config.main),
        "log": _values(LOG, config.log),
        "admin": _values(ADMIN, config.admin),
        "resolver": _values(RESOLVER, config.resolver),
        "listeners": {name: _values(LISTENER, one, one.protocol) for name, one in config.listeners.items()},
        "upstreams": {name: _values(UPSTREAM, one, one.balance) for name, one in config.upstreams.items()},
    }


def _values(section: Section, values: object, kind: Word | None = None) -> Values:
    """Those of the keys that are for *kind*."""
    keys = [key for key in section.keys.values() if kind is None or key.fits(kind)]
    return {key.name: plain(key.kind, getattr(values, key.name)) for key in keys}


def _lines(tables: dict[str, Values]) -> Iterator[str]:
    for name, section in {"main": MAIN, "log": LOG, "admin": ADMIN, "resolver": RESOLVER}.items():
        yield from _table(name, section, tables[name])
    for name, section in {"listeners": LISTENER, "upstreams": UPSTREAM}.items():
        for one, values in tables[name].items():
            yield from _table(f"{name}.{written_key(one)}", section, values)


def _table(header: str, section: Section, values: Values) -> Iterator[str]:
    """A table, then those in it that stand apart."""
    inner = [name for name, value in values.items() if _stands_apart(section.keys[name].kind, value)]
    yield from _lines_of(header, {name: value for name, value in values.items() if name not in inner})
    for name in inner:
        yield from _lines_of(f"{header}.{name}", values[name])


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


def plain(kind: Kind, value: object) -> Any:
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
