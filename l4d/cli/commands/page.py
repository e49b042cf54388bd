"""Showing: tables for people, one JSON document for programs."""

import io
import json
import re
import shutil
import sys
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.text import Text

from l4d.cli.commands.client import Json
from l4d.cli.output import say

_ENDLESS = 100_000
_TRAILING = re.compile(r" +$", re.MULTILINE)


def width() -> int | None:
    """How wide a table may be; None where nobody folds lines: in a pipe or a file."""
    if not _Kept().isatty():
        return None
    return shutil.get_terminal_size().columns


def show(parts: Iterable[RenderableType]) -> None:
    """Print *parts*, one below the other. Raises as say() does."""
    kept = _Kept()
    console = Console(file=kept, width=width() or _ENDLESS, markup=False, highlight=False, emoji=False)
    for part in parts:
        console.print(part)
    say(_sayable(_TRAILING.sub("", kept.getvalue())))


class _Kept(io.StringIO):
    """What is to be shown on standard output, until it is complete: colours are those it has."""

    def isatty(self) -> bool:
        return sys.stdout is not None and sys.stdout.isatty()


def show_json(document: Json) -> None:
    """Print *document*; in ASCII, so that no terminal obeys what others have put into a name."""
    say(json.dumps(document, indent=2) + "\n")


def _sayable(text: str) -> str:
    """*text* with an escape in place of each letter that standard output has no bytes for."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def heading(words: str) -> Text:
    return Text(f"\n{words}", "bold")
