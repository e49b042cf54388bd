"""Where each key of a TOML text stands: the line of every table, key and list element.

The parser gives values without lines. This scanner reads a text the parser has already accepted, so it need not
know what is allowed, only where things begin and end:

    [servers]                      ("servers",)             1
    hosts = [                      ("servers", "hosts")     2
        "a",                       ("servers", "hosts", 0)  3
        { "b.c" = 1 },             ("servers", "hosts", 1)  4    and ("servers", "hosts", 1, "b.c")  4
    ]
    [[list]]                       ("list",) and ("list", 0)     6
"""

import re
from typing import TypeAlias

from l4d.config.toml import NotToml, parse, written_key

KeyPath: TypeAlias = tuple[str | int, ...]
"""The way to a value: names of keys, and places in lists, from 0."""

_DEEPEST = 100
"""Nobody means more parts in a key, or levels in a value; more would cost us recursion and memory."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK_OR_COMMA = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_SCALAR = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}'''  # up to two quotes may stand before the closing three
    r"""|'''.*?'{3,5}"""
    r'''|"(?:[^"\\]|\\.)*"'''
    r"""|'[^']*'"""
    r"""|[^,\]}#\n]+""",
    re.DOTALL,
)


def positions(text: str) -> dict[KeyPath, int]:
    """The line of each key, table and element in *text*, which must be TOML. Raises NotToml when it goes too deep."""
    return _Scanner(text).scan()


def dotted(path: KeyPath) -> str:
    """*path* as the operator knows it: `upstreams.db.servers[1]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{written_key(part)}" for part in path)
    return "".join(parts).removeprefix(".")


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[KeyPath, int] = {}
        self._last: dict[KeyPath, int] = {}  # of an array of tables, the element begun last

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._sees("[["):
                table = self._element_header()
            elif self._sees("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _element_header(self) -> KeyPath:
        line = self._line
        self._at += 2
        parents, name = self._key()
        self._at += 2
        array = (*self._inside(parents), name)
        self._lines.setdefault(array, line)
        self._last[array] = self._last.get(array, -1) + 1
        element = (*array, self._last[array])
        self._lines[element] = line
        return element

    def _header(self) -> KeyPath:
        line = self._line
        self._at += 1
        parents, name = self._key()
        self._at += 1
        table = (*self._inside(parents), name)
        self._lines[table] = line
        return table

    def _inside(self, parents: KeyPath) -> KeyPath:
        """The path of the tables a header stands in: of an array, the last element."""
        path: KeyPath = ()
        for part in parents:
            path = (*path, part)
            self._lines.setdefault(path, self._line)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line
        parents, name = self._key()
        for depth in range(1, len(parents) + 1):
            self._lines.setdefault((*table, *parents[:depth]), line)
        path = (*table, *parents, name)
        self._lines[path] = line
        self._at += 1  # "="
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> tuple[KeyPath, str]:
        """A dotted key and the space around it: the parts before the last, and the last."""
        parts = [self._part()]
        while self._sees("."):
            self._at += 1
            parts.append(self._part())
        self._refuse_depth(len(parts))
        return tuple(parts[:-1]), parts[-1]

    def _part(self) -> str:
        self._skip(_SPACE)
        part = self._skip(_KEY)
        self._skip(_SPACE)
        return str(parse(f"part = {part}")["part"]) if part[0] in "\"'" else part

    def _refuse_depth(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise NotToml(self._line, "nested too deeply")

    def _value(self, path: KeyPath) -> None:
        self._refuse_depth(len(path))
        if self._sees("["):
            self._array(path)
        elif self._sees("{"):
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK_OR_COMMA)
        index = 0
        while not self._sees("]"):
            element = (*path, index)
            self._lines[element] = self._line
            self._value(element)
            index += 1
            self._skip(_BLANK_OR_COMMA)
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK_OR_COMMA)
        while not self._sees("}"):
            self._pair(path)
            self._skip(_BLANK_OR_COMMA)
        self._at += 1

    def _sees(self, what: str) -> bool:
        return self._text.startswith(what, self._at)

    def _skip(self, what: re.Pattern[str]) -> str:
        """Steps over *what* and counts its lines."""
        match = what.match(self._text, self._at)
        assert match is not None, f"the parser accepted what the scanner does not know at {self._at}"
        self._at = match.end()
        self._line += match[0].count("\n")
        return match[0]
