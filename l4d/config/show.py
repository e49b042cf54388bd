"""The effective configuration as TOML, defaults included, in the order of the tables of keys.

Read back it gives an equal configuration, but for the names of the files.
"""

from collections.abc import Iterator

from l4d.config.kinds import Kind, One, Section, Several
from l4d.config.model import Config
from l4d.config.schema import LISTENER, LOG, MAIN, UPSTREAM
from l4d.config.toml import written, written_key


def show(config: Config) -> str:
    """*config* as an operator would write it, every key given."""
    return "\n".join(_lines(config)).lstrip("\n") + "\n"


def _lines(config: Config) -> Iterator[str]:
    yield from _table("main", MAIN, config.main)
    yield from _table("log", LOG, config.log)
    for name, listener in config.listeners.items():
        fitting = {key: one for key, one in LISTENER.keys.items() if one.fits(listener.protocol)}
        yield from _table(f"listeners.{written_key(name)}", Section("", fitting, frozenset()), listener)
    for name, upstream in config.upstreams.items():
        yield from _table(f"upstreams.{written_key(name)}", UPSTREAM, upstream)


def _table(header: str, section: Section, values: object) -> Iterator[str]:
    yield ""
    yield f"[{header}]"
    for name, key in section.keys.items():
        value = plain(key.kind, getattr(values, name))
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
    return {name: plain(key.kind, values[name]) for name, key in kind.section.keys.items()}
