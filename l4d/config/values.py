"""How single values are read: each reader takes what stood in the file, and gives what the program uses.

A reader raises Wrong, in words that complete "KEY: ...", for whatever it cannot take. The functions that end in
`_written` go the other way.
"""

import enum
import math
import re
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from l4d.config.suggest import did_you_mean, one_of
from l4d.config.template import pieces
from l4d.config.toml import written
from l4d.terms import HashKey

Choice = TypeVar("Choice", bound=enum.Enum)

YEAR = 8760 * 3600
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "": 1000}
MOST_WORKERS = 500
"""At a reload there are twice as many, and each has a row of the board."""

LONGEST_WORD = 112
"""A unix socket's path with "unix:" before it, the longest address that is not a name, is a word."""

_BYTES = {"": 1, "k": 1024, "m": 1024 * 1024}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(ms|s|m|h|)")
_SIZE = re.compile(r"([0-9]{1,12})([km]?)", re.IGNORECASE)
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
_MODE = re.compile(r"0?[0-7]{3}")
_LOG_WORDS = ("stderr", "syslog", "journal")
_ACCESS_WORDS = ("off", "stdout", *_LOG_WORDS)
_FORMS = ("text", "json")
LONGEST_TEMPLATE = 1000


class Wrong(Exception):  # noqa: N818 - what it is about is a value
    """A value that cannot be taken, and why."""


def described(value: object) -> str:
    """*value* in a message: short, whatever it is."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return written(value)
    if isinstance(value, int) and value.bit_length() > 256:
        return "a huge number"  # Python refuses to print some
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {described(value)}")
    return value


def text(value: object) -> str:
    """A string that can be printed on a line."""
    if not isinstance(value, str):
        raise Wrong(f"must be a string, not {described(value)}")
    if any(unicodedata.category(letter) in _UNPRINTABLE for letter in value):
        raise Wrong("must not contain control characters")
    return value


def word(value: object) -> str:
    """A string that stands for one thing in a log line: not empty, no spaces."""
    name = text(value)
    if not name or len(name) > LONGEST_WORD or any(letter.isspace() for letter in name):
        raise Wrong(f"must be 1 to {LONGEST_WORD} characters without spaces, not {described(name)}")
    return name


def integer(least: int, most: int, *, or_zero: bool = False) -> Callable[[object], int]:
    """The reader of a whole number from *least* to *most*."""
    wanted = f"must be {'0, or ' if or_zero else ''}a whole number from {least} to {most}"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"{wanted}, not {described(value)}")
        if not least <= value <= most and not (or_zero and value == 0):
            raise Wrong(f"{wanted}, not {described(value)}")
        return value

    return read


def workers(value: object) -> int:
    """The number of workers; 0 is "auto"."""
    if value == "auto":
        return 0
    try:
        return integer(1, MOST_WORKERS)(value)
    except Wrong:
        raise Wrong(f'must be "auto" or a whole number from 1 to {MOST_WORKERS}, not {described(value)}') from None


def workers_written(value: int) -> object:
    return value or "auto"


def duration(most: float = YEAR, *, or_zero: bool = False) -> Callable[[object], float]:
    """The reader of a duration up to *most* seconds. Zero is a duration only where it has a meaning of its own."""

    def read(value: object) -> float:
        seconds = _seconds(value)
        if seconds == 0 and not or_zero:
            raise Wrong("must be more than 0")
        if seconds > most:
            raise Wrong(f"must be at most {duration_written(most)}, not {described(value)}")
        return seconds

    return read


def keepalive_time(value: object) -> float:
    """What the kernel takes for a keepalive: whole seconds, at most 32767; 0 is the system's value."""
    seconds = duration(32767, or_zero=True)(value)
    if seconds != int(seconds):
        raise Wrong(f"must be whole seconds, not {described(value)}")
    return seconds


def _seconds(value: object) -> float:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return float(match[1]) * _MILLISECONDS[match[2]] / 1000
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 and value != math.inf:
        return float(min(value, YEAR + 1))  # an int may be too large for a float
    raise Wrong(f'must be a duration like "500ms", "10s", "5m" or "2h", or a number of seconds, not {described(value)}')


def duration_written(seconds: float) -> object:
    """The shortest form that reads back as exactly *seconds*."""
    if seconds == 0:
        return "0"
    for unit in ("h", "m", "s"):
        if seconds * 1000 % _MILLISECONDS[unit] == 0:
            return f"{int(seconds * 1000 / _MILLISECONDS[unit])}{unit}"
    thousandths = f"{round(seconds * 1000)}ms"
    return thousandths if _seconds(thousandths) == seconds else seconds


def size(most: int) -> Callable[[object], int]:
    """The reader of a number of bytes up to *most*; 0 is a size."""

    def read(value: object) -> int:
        count = _bytes(value)
        if count > most:
            raise Wrong(f'must be at most "{size_written(most)}", not {described(value)}')
        return count

    return read


def _bytes(value: object) -> int:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        return int(match[1]) * _BYTES[match[2].lower()]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise Wrong(f'must be a size like "64k" or "1m", or a number of bytes, not {described(value)}')


def size_written(count: int) -> str:
    for unit in ("m", "k"):
        if count and count % _BYTES[unit] == 0:
            return f"{count // _BYTES[unit]}{unit}"
    return str(count)


def choice(choices: type[Choice], later: Collection[str] = ()) -> Callable[[object], Choice]:
    """The reader of one of the words in *choices*. The words in *later* are told apart from mistakes."""
    words = {str(one.value): one for one in choices}
    wanted = f"must be {one_of([word or written(word) for word in words])}"

    def read(value: object) -> Choice:
        if isinstance(value, str) and value in words:
            return words[value]
        if isinstance(value, str) and value in later:
            raise Wrong(f"'{value}' is not available in this version; {wanted}")
        raise Wrong(f"{wanted}, not {described(value)}")

    return read


def choice_written(value: enum.Enum) -> Any:
    return value.value


def hash_key(value: object) -> tuple[HashKey, ...]:
    """One or several of the words in HashKey, joined by "+"."""
    read = choice(HashKey, later=("sni",))
    if not isinstance(value, str):
        raise Wrong(f"must be words like 'client' joined by '+', not {described(value)}")
    parts = tuple(read(part.strip()) for part in value.split("+"))
    if len(set(parts)) < len(parts):
        raise Wrong(f"{described(value)} names a part twice")
    return parts


def hash_key_written(value: tuple[HashKey, ...]) -> str:
    return "+".join(part.value for part in value)


def path_or_none(value: object) -> str:
    """A file's path made absolute, so that it means the same wherever it is used; "" is none."""
    return _absolute(name) if (name := text(value)) else ""


def file_mode(value: object) -> int:
    """Who may use a file, as chmod(1) takes it, in quotes: TOML has other octal numbers."""
    if not isinstance(value, str) or not _MODE.fullmatch(value):
        raise Wrong(f'must be an octal mode in quotes, like "0600" or "0660", not {described(value)}')
    return int(value, 8)


def file_mode_written(mode: int) -> str:
    return f"{mode:04o}"


def log_target(value: object) -> str:
    """Where the error log goes: one of the words, or a file's path made absolute."""
    return _target(value, _LOG_WORDS)


def access_target(value: object) -> str:
    """The same of an access log, which may also be off, or go to standard output."""
    return _target(value, _ACCESS_WORDS)


def access_target_or_none(value: object) -> str:
    """The same; "" is what [log] says."""
    return access_target(value) if text(value) else ""


def _target(value: object, words: Collection[str]) -> str:
    """A path has a "/" or a ".", so that "sylog" is none."""
    name = text(value)
    if name in words:
        return name
    if "/" not in name and "." not in name:
        raise Wrong(f"must be {', '.join(words)} or a path like '/var/log/l4d.log', not {described(value)}")
    return _absolute(name)


def log_format(value: object) -> str:
    """The form of an access log's lines: a word, or a template, which has $names, and may have tabs."""
    text(value.replace("\t", " ") if isinstance(value, str) else value)
    form = str(value)
    if form in _FORMS:
        return form
    if "$" not in form:
        wanted = 'must be text, json or a template like "$client $server $end"'
        raise Wrong(f"{wanted}, not {described(value)}{did_you_mean(form, _FORMS)}")
    if len(form) > LONGEST_TEMPLATE:
        raise Wrong(f"must be at most {LONGEST_TEMPLATE} characters, not {len(form)}")
    try:
        list(pieces(form))
    except ValueError as error:
        raise Wrong(str(error)) from None
    return form


def _absolute(name: str) -> str:
    try:
        return text(str(Path(name).absolute()))
    except OSError as error:
        raise Wrong(f"cannot be made absolute: the working directory: {error.strerror}") from None
