"""`l4d sessions`: who is connected."""

from collections.abc import Callable, Iterator

from rich.console import RenderableType

from l4d.cli.commands import text
from l4d.cli.commands.asked import Asked
from l4d.cli.commands.catalogue import SORTS
from l4d.cli.commands.client import Client, Json, WrongUsageError
from l4d.cli.commands.page import show, show_json, width
from l4d.cli.commands.servers import PALE
from l4d.cli.commands.status import server_of
from l4d.cli.commands.table import Column, Row, table
from l4d.cli.commands.told import number, rows, whole, words
from l4d.cli.output import complain

_COLUMNS = (
    Column("ID", 5),
    Column("LISTENER", 4),
    Column("CLIENT"),
    Column("SERVER"),
    Column("ADDRESS", 8),
    Column("PHASE", 6),
    Column("AGE", right=True),
    Column("IDLE", 3, right=True),
    Column("UP", 2, right=True),
    Column("DOWN", 1, right=True),
    Column("WORKER", 7, right=True),
)

_KEYS: dict[str, Callable[[Json], tuple[float, str]]] = {
    "age": lambda one: (-number(one, "duration_ms"), ""),
    "client": lambda one: (0, words(one, "client")),
    "idle": lambda one: (-number(one, "idle_ms"), ""),
    "listener": lambda one: (0, words(one, "listener")),
    "server": lambda one: (0, server_of(one)),
    "bytes": lambda one: (-number(one, "bytes_up") - number(one, "bytes_down"), ""),
}
assert _KEYS.keys() == set(SORTS)


def sessions(asked: Asked, client: Client) -> int:
    """Show the sessions that the filters name."""
    by = asked.values["sort"]
    if by is not None and by not in SORTS:
        raise WrongUsageError(f"--sort {text.clean(by)}: choose {', '.join(SORTS)}")
    limit = {} if asked.values["limit"] is None else {"limit": asked.values["limit"]}
    answer = client.get("sessions", **asked.filters(), **limit)
    tell_silent(answer, "its sessions are missing here")
    if asked.json:
        show_json(answer)
        return 0
    found = rows(answer, "sessions")
    show(picture(sorted(found, key=_KEYS[by]) if by else found, whole(answer, "total")))
    return 0


def picture(found: list[Json], all_of_them: int) -> Iterator[RenderableType]:
    if found:
        yield table(_COLUMNS, [_row(one) for one in found], width())
    if all_of_them > len(found):
        yield f"{len(found)} of {text.plural(all_of_them, 'session')}; --limit N shows more"
    elif not found:
        yield "no session"


def _row(session: Json) -> Row:
    retired = bool(session.get("retired"))
    return (
        words(session, "id"),
        words(session, "listener"),
        words(session, "client"),
        server_of(session),
        words(session, "server"),
        (f"{words(session, 'phase')}, retired", PALE) if retired else words(session, "phase"),
        text.age(number(session, "duration_ms") / 1000),
        text.age(number(session, "idle_ms") / 1000),
        text.size(number(session, "bytes_up")),
        text.size(number(session, "bytes_down")),
        words(session, "worker"),
    )


def tell_silent(answer: Json, then: str) -> bool:
    """Say which workers have not answered, and what follows for *answer*. Whether there is one."""
    silent = answer.get("silent")
    if not isinstance(silent, list) or not silent:
        return False
    pids = ", ".join(text.clean(str(pid)) for pid in silent)
    complain(f"l4d: no answer in time from worker pid {pids}; {then}")
    return True
