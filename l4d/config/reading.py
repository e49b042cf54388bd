"""How values are taken out of TOML by the tables of keys: what is right is returned, what is wrong is noted.

None stands for a value that was wrong; reading goes on, so that all problems are found in one go. A list comes
back as a dict by place, in which the wrong elements are missing.
"""

from collections.abc import Iterable
from typing import Any

from l4d.config.kinds import Kind, One, Section, Several, Table, Values
from l4d.config.positions import KeyPath
from l4d.config.problems import Place, Problems
from l4d.config.suggest import nearest
from l4d.config.unknown import unknown
from l4d.config.values import Wrong, described
from l4d.terms import Protocol, Word


def read_value(kind: Kind, value: object, path: KeyPath, problems: Problems) -> Any:
    """*value* as the program uses it, or None when it is wrong."""
    if isinstance(kind, Several):
        return _read_several(kind, value, path, problems)
    if isinstance(kind, Table):
        return _read_table(kind, value, path, problems)
    return _read_one(kind, value, path, problems)


def read_section(section: Section, table: object, path: KeyPath, problems: Problems) -> Values:
    """The values that are written in *table*; without defaults."""
    if not isinstance(table, dict):
        problems.add(path, f"must be a table, not {described(table)}")
        return {}
    values: Values = {}
    for name, value in table.items():
        if name not in section.keys:
            problems.add((*path, name), unknown(name, section))
        elif (read := read_value(section.keys[name].kind, value, (*path, name), problems)) is not None:
            values[name] = read
    return values


def defaults(section: Section, kind: Word = Protocol.TCP) -> Values:
    """The defaults of *section*, read as if the operator had written them."""
    written = {name: key.default_for(kind) for name, key in section.keys.items()}
    problems = Problems({}, Place("the defaults", 0))
    values = read_section(section, {k: v for k, v in written.items() if v is not None}, (), problems)
    problems.stop_if_any([])
    return values


def note_missing(section: Section, table: object, values: Values, path: KeyPath, problems: Problems) -> None:
    """Notes the keys that must be given and are neither in *values* nor, wrong or mistyped, in *table*."""
    if not isinstance(table, dict):
        return  # noted already
    tried = _tried(section, table)
    for name, key in section.keys.items():
        if key.required and name not in values and name not in tried:
            problems.add(path, f"has no '{name}': {key.why}")


def _tried(section: Section, names: Iterable[str]) -> set[str]:
    """The keys that *names* are, or, where one is mistyped, were probably meant to be."""
    meant = (name if name in section.keys else nearest(name, section.keys) for name in names)
    return {name for name in meant if name is not None}


def _read_one(kind: One, value: object, path: KeyPath, problems: Problems) -> Any:
    try:
        return kind.read(value)
    except Wrong as wrong:
        problems.add(path, str(wrong))
        return None


def _read_several(kind: Several, value: object, path: KeyPath, problems: Problems) -> dict[int, Any]:
    if not isinstance(value, list):
        read = {0: read_value(kind.of, value, path, problems)}
    else:
        read = {index: read_value(kind.of, one, (*path, index), problems) for index, one in enumerate(value)}
    if not read and not kind.may_be_empty:
        problems.add(path, "must not be empty")
    return {index: one for index, one in read.items() if one is not None}


def _read_table(kind: Table, value: object, path: KeyPath, problems: Problems) -> Any:
    if isinstance(value, dict):
        values = read_section(kind.section, value, path, problems)
        note_missing(kind.section, value, values, path, problems)
        tried = _tried(kind.section, value)
    elif (single := _read_one(kind.short, value, path, problems)) is not None:
        values = kind.from_short(single)
        tried = set(values)
    else:
        return None
    right = {name: one for name, one in values.items() if not problems.within((*path, name))}
    for name, words in kind.examine(right, tried):
        problems.add((*path, name) if name else path, words)
    if problems.within(path):
        return None
    return kind.make({**defaults(kind.section), **kind.counting(values)})
