"""`l4d servers`: every server, whether it serves, and why not."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table

from l4d.cli.commands import text
from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client, Json
from l4d.cli.commands.page import show, show_json, width
from l4d.cli.commands.table import Cell, Column, Row, table
from l4d.cli.commands.told import maybe, number, part, rows, total, whole, words

GOOD, DOUBTFUL, BAD, PALE = "green", "yellow", "bold red", "dim"
"""What words are coloured with; the words say the same without."""

COLUMNS = (
    Column("SERVER"),
    Column("ADDRESS", 6),
    Column("STATE"),
    Column("WEIGHT", 4, right=True),
    Column("SESSIONS", right=True),
    Column("TOTAL", 7, right=True),
    Column("FAILED", 2, right=True),
    Column("CONNECT", 3, right=True),
    Column("FOR", 5, right=True),
    Column("WHY", 1, folds=True),
)


def servers(asked: Asked, client: Client) -> int:
    """Show the servers of one upstream, or of all."""
    name = asked.values["upstream"]
    answer = client.get("upstreams", name) if name else client.get("upstreams")
    if asked.json:
        show_json(answer)
        return 0
    show(picture([answer] if name else rows(answer, "upstreams"), client.get("status")))
    return 0


def picture(upstreams: Iterable[Json], status: Json) -> Iterator[RenderableType]:
    """The table of all servers of *upstreams*."""
    now = words(status, "time")
    found = [row(words(one, "name"), server, now) for one in upstreams for server in rows(one, "servers")]
    yield sheet(found, width()) if found else "no server"


def sheet(lines: Iterable[Row], wide: int | None) -> Table:
    return table(COLUMNS, lines, wide)


def row(upstream: str, server: Json, now: str) -> Row:
    """One server; *now* is the time at which l4d has told of it."""
    return (
        f"{upstream}/{words(server, 'name')}",
        words(server, "address"),
        state(server),
        _weight(server),
        _sessions(server),
        text.count(number(server, "sessions_total")),
        _failed(server),
        text.milliseconds(maybe(part(server, "connect_ms"), "p50")),
        _since(server, now),
        why(server),
    )


def state(server: Json) -> Cell:
    """In one word, or two: `up`, `down`, `drain`, `up backup`."""
    wanted, verdict = words(server, "state", "ready"), words(server, "verdict", "unknown")
    backup = " backup" if server.get("backup") else ""
    if wanted != "ready":
        return f"{wanted}{backup}", DOUBTFUL
    if verdict == "down":
        return f"down{backup}", BAD
    if not server.get("serving", True):
        return f"{'out' if number(server, 'out_seconds') else 'full'}{backup}", DOUBTFUL
    return (f"up{backup}", GOOD) if verdict == "up" else (f"ready{backup}", GOOD)


def why(server: Json) -> str:
    """Why it is not given sessions, and what an operator or agent wants of it."""
    said = [words(server, "why")]
    reason = words(server, "reason")
    if words(server, "verdict") == "down" and reason and reason not in said[0]:
        said[0] = f"{said[0]}: {reason}".removeprefix(": ")
    wishes = {key: words(part(server, "wishes"), key) for key in ("state", "weight", "max_sessions")}
    told = [f"{key} {wish}" for key, wish in wishes.items() if wish and not (key == "state" and said[0])]
    if told:
        said.append(f"operator: {', '.join(told)}")
    if agent := words(server, "agent"):
        said.append(f"agent: {agent}")
    return "; ".join(one for one in said if one)


def _weight(server: Json) -> str:
    return text.count(number(server, "weight"))


def _sessions(server: Json) -> str:
    most = whole(server, "max_sessions")
    return text.count(number(server, "sessions")) + (f"/{text.count(most)}" if most else "")


def _failed(server: Json) -> Cell:
    """Failed dials and the like, with failed checks."""
    failed = total(server, "failures") + whole(part(server, "checks"), "failed")
    return (text.count(failed), DOUBTFUL) if failed else "0"


def _since(server: Json, now: str) -> str:
    lasted = text.seconds_since(words(server, "since"), now)
    return "" if lasted is None else text.age(lasted)
