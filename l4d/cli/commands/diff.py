"""`l4d diff`: what would a reload change, and how many sessions would it touch?"""

import os
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.catalogue import DEFAULT_CONFIG
from l4d.cli.commands.client import Client, Json
from l4d.cli.commands.page import show, show_json, width
from l4d.cli.commands.reloading import Reloading, reloading
from l4d.cli.commands.table import Column, table
from l4d.cli.commands.text import clean, count, plural
from l4d.cli.commands.told import words
from l4d.config.load import load
from l4d.errors import StartError

_COLUMNS = (
    Column("KEY", folds=True),
    Column("CHANGE", folds=True),
    Column("SESSIONS", 2, right=True),
    Column("WHAT HAPPENS", 1, folds=True),
)


def diff(asked: Asked, client: Client) -> int:
    """Compare the file with what is in force. Raises ConfigError with all that is wrong in the file."""
    path = _file(asked, client)
    found = reloading(load(path, asked.values["set"]), client)
    if asked.json:
        show_json(_document(path, found))
    else:
        show(picture(path, found))
    return 0


def _file(asked: Asked, client: Client) -> str:
    """The file that is meant: where only a socket was named, the one that the l4d behind it was started with."""
    if asked.config is not None:
        return asked.config
    if asked.socket is None:
        return DEFAULT_CONFIG
    path = words(client.get("status"), "config")
    if not os.path.isabs(path):
        raise StartError(f"that l4d was started with '{path}', seen from a folder of its own; name the file by -c")
    return path


def _document(path: str, found: Reloading) -> Json:
    changes = [
        {
            "key": change.key,
            "kind": change.kind.value,
            "before": change.before,
            "after": change.after,
            "sessions": effect.sessions,
            "effect": effect.words,
        }
        for change, effect in found.changes
    ]
    return {"file": path, "sessions": found.live.total, "changes": changes}


def picture(path: str, found: Reloading) -> Iterator[RenderableType]:
    if not found.changes:
        yield Text(f"no difference: l4d runs what {clean(path)} says")
        return
    yield Text(f"a reload would change {plural(len(found.changes), 'thing')}; {found.summary}")
    yield Text()
    lines = [
        (clean(change.key), clean(change.words), count(effect.sessions) if effect.sessions else "", clean(effect.words))
        for change, effect in found.changes
    ]
    yield table(_COLUMNS, lines, width())
