"""How --set changes the document: one key, as if it stood in the file."""

from collections.abc import Sequence

from l4d.config.document import Document
from l4d.config.positions import KeyPath
from l4d.config.problems import Place
from l4d.config.toml import NotToml, parse

SET = Place("--set", 0)


def override(document: Document, texts: Sequence[str]) -> None:
    """Applies each of *texts*, such as "main.workers=2", in their order."""
    for text in texts:
        if message := _override(document, text):
            document.problems.add_at(SET, "", message)


def _override(document: Document, text: str) -> str:
    """Applies *text*; returns what is wrong with it, if anything is."""
    key, equals, value = text.partition("=")
    path = _path(key.strip())
    if not equals or not path:
        return f"{text!r} is not KEY=VALUE, as in main.workers=2"
    if path[0] == "include":
        return "include: cannot be set here; the files are read by then"
    blocked = document.replace(path, _value(value.strip()), SET)
    return f"{key.strip()}: {blocked}" if blocked else ""


def _path(key: str) -> KeyPath:
    """The way that a dotted key names; empty when it is no key."""
    if "\n" in key or key.startswith("["):
        return ()
    try:
        table: object = parse(f"{key} = 0")
    except NotToml:
        return ()
    path: KeyPath = ()
    while isinstance(table, dict) and table:
        ((name, table),) = table.items()
        path = (*path, name)
    return path


def _value(text: str) -> object:
    """*text* as a TOML value, else as the string it is, so that `log.level=debug` needs no quotes."""
    try:
        table = parse(f"value = {text}")
    except NotToml:
        return text
    return table["value"] if len(table) == 1 else text
