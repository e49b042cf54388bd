"""`l4d drain`, `ready`, `maint` and `weight`: change what servers are given, now and in all workers."""

from collections.abc import Mapping

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client, Json, WrongUsageError
from l4d.cli.commands.page import show, show_json, width
from l4d.cli.commands.servers import row, sheet
from l4d.cli.commands.text import clean
from l4d.cli.output import complain
from l4d.errors import StartError

_HEAVIEST = 65535


def drain(asked: Asked, client: Client) -> int:
    return _change(asked, client, {"state": "drain"})


def ready(asked: Asked, client: Client) -> int:
    return _change(asked, client, {"state": "ready"})


def maint(asked: Asked, client: Client) -> int:
    return _change(asked, client, {"state": "maint"})


def weight(asked: Asked, client: Client) -> int:
    return _change(asked, client, {"weight": _weight(asked.values["n"])})


def _weight(word: str) -> int | None:
    """The weight that *word* is; None: what the file says."""
    if word == "file":
        return None
    if not (word.isascii() and word.isdecimal() and 1 <= int(word[:9]) <= _HEAVIEST and len(word) < 9):
        raise WrongUsageError(f"'{clean(word)}' is no weight: 1 to {_HEAVIEST}, or 'file' for what the file says")
    return int(word)


def _change(asked: Asked, client: Client, to: Mapping[str, object]) -> int:
    """Change each of the servers, and show what is in force now. One that cannot be changed is told."""
    named = [(word, *_parted(word)) for word in asked.values["upstream/server"]]
    changed: list[tuple[str, Json]] = []
    failed = 0
    for word, upstream, server in named:
        try:
            changed.append((upstream, client.change("upstreams", upstream, "servers", server, to=to)))
        except StartError as error:
            complain(f"l4d: {clean(word)}: {error}")
            failed = max(failed, error.exit_status)
    if asked.json:
        show_json({"servers": [server for _, server in changed]})
    elif changed:
        show([sheet([row(upstream, server, "") for upstream, server in changed], width())])
    return failed


def _parted(word: str) -> tuple[str, str]:
    """Upstream and server of `pg/two`. The name of a server may have more of these strokes: `pg/unix:/run/pg`."""
    upstream, stroke, server = word.partition("/")
    if not upstream or not stroke or not server:
        raise WrongUsageError(f"'{clean(word)}' is no UPSTREAM/SERVER, as in pg/two; l4d servers shows them")
    return upstream, server
