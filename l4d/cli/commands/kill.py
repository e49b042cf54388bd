"""`l4d kill`: end one session by its id, or all that the filters name. Asks first, and says how many."""

import sys

from rich.text import Text

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client, WrongUsageError
from l4d.cli.commands.page import show, show_json
from l4d.cli.commands.sessions import tell_silent
from l4d.cli.commands.text import clean, plural
from l4d.cli.commands.told import whole
from l4d.cli.output import complain
from l4d.errors import StartError


def kill(asked: Asked, client: Client) -> int:
    """End sessions: 0, or 1 when the operator changes his mind, or a worker has not said that it did."""
    identity, filters = asked.values["id"], asked.filters()
    if bool(identity) == bool(filters):
        raise WrongUsageError("kill wants the id of a session, or at least one filter, not both; see l4d kill -h")
    if not asked.values["yes"] and not _is_meant(client, identity, filters):
        complain("l4d: nothing was killed")
        return 1
    answer = client.delete("sessions", identity) if identity else client.delete("sessions", **filters)
    if asked.json:
        show_json(answer)
    else:
        show([Text(f"{plural(whole(answer, 'killed'), 'session')} killed")])
    return 1 if tell_silent(answer, "its sessions end when it goes on, if it does") else 0


def _is_meant(client: Client, identity: str | None, filters: dict[str, str]) -> bool:
    """Whether the operator, told how many it would be, says yes."""
    if not _is_terminal():
        raise StartError("kill asks first, and there is no terminal to ask; say --yes")
    if identity:
        what = f"session {clean(identity)}"
    else:
        number = whole(client.get("sessions", **filters, limit="1"), "total")
        if not number:
            raise StartError("no session meets these filters")
        what = f"{plural(number, 'session')} ({', '.join(f'{key} {clean(value)}' for key, value in filters.items())})"
    return _says_yes(f"kill {what}? [y/N] ")


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None


def _says_yes(question: str) -> bool:
    """The question goes to standard error: standard output has the data."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
