"""TOML in and out: a text read into plain values, and a plain value written as an operator would.

The parser is the standard library's. What it says about a text that is not TOML becomes one error with a line,
whatever the text was.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

if sys.version_info >= (3, 11):  # pragma: no cover - each Python runs only one of the two
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class NotToml(Exception):  # noqa: N818 - it says what the text is
    """A text that is not TOML: the line, and what is wrong there."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def parse(text: str) -> dict[str, Any]:
    """The values in *text*. Raises NotToml for everything the parser has to say."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise NotToml(0, "nested too deeply") from None
    except ValueError as error:  # also what int() says of a number of 5,000 digits
        raise _not_toml(text, str(error)) from None


def _not_toml(text: str, message: str) -> NotToml:
    place = _PLACE.search(message)
    if place is None:
        return NotToml(0, f"not TOML: {message}")
    said = message[: place.start()]
    if place[1] is None:
        return NotToml(text.rstrip("\n").count("\n") + 1, f"not TOML: {said} (at the end of the file)")
    return NotToml(int(place[1]), f"not TOML: {said} (column {place[2]})")


def written(value: object) -> str:
    """*value* as TOML on one line; made of bool, int, float, str, and lists and tables of these."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{written_key(key)} = {written(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return repr(value)


def written_key(name: str) -> str:
    """*name* as a key: bare where TOML allows it, else quoted."""
    return name if _BARE.fullmatch(name) else written(name)
