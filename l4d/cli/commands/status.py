"""`l4d status`: is all well, and if not, what is not."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from l4d.cli.commands import text
from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client, Json
from l4d.cli.commands.page import heading, show, show_json, width
from l4d.cli.commands.servers import BAD, DOUBTFUL, GOOD
from l4d.cli.commands.table import Cell, Column, Row, table
from l4d.cli.commands.told import maybe, number, part, rows, texts, total, whole, words

_ORDINARY = frozenset(("--", "UD", "UR", "KD", "TD", "XD"))
"""Ends that nobody needs to look at."""

_MOST_ENDS = 8

LISTENERS = (
    Column("LISTENER"),
    Column("PROTOCOL", 5),
    Column("ADDRESS", 4, folds=True),
    Column("UPSTREAM", 2),
    Column("SESSIONS", right=True),
    Column("TOTAL", 3, right=True),
    Column("UP", 7, right=True),
    Column("DOWN", 6, right=True),
    Column("REFUSED", 1, right=True),
)

_UPSTREAMS = (
    Column("UPSTREAM"),
    Column("BALANCE", 2),
    Column("CHECK", 1),
    Column("SERVERS UP", right=True),
    Column("SESSIONS", right=True),
    Column("QUEUED", 3, right=True),
    Column("NOT SERVING", 4, folds=True),
)

_WORKERS = (
    Column("WORKER"),
    Column("GENERATION", 2, right=True),
    Column("PID", 6, right=True),
    Column("STATE"),
    Column("SESSIONS", right=True),
    Column("CPU", 1, right=True),
    Column("MEMORY", 3, right=True),
    Column("HEARTBEAT", 5, right=True),
    Column("TURN P99", 4, right=True),
)

_ENDS = (
    Column("BEGAN", 4),
    Column("LISTENER", 3),
    Column("CLIENT", 1),
    Column("SERVER", 2),
    Column("LASTED", 5, right=True),
    Column("END"),
    Column("WHY", folds=True),
)


def status(asked: Asked, client: Client) -> int:
    """Show how the running l4d is."""
    answer = client.get("status")
    if asked.json:
        show_json(answer)
        return 0
    show(picture(answer, client.get("listeners"), client.get("upstreams"), client.get("workers")))
    return 0


def picture(answer: Json, listeners: Json, upstreams: Json, workers: Json) -> Iterator[RenderableType]:
    """What is shown, from top to bottom."""
    wide = width()
    yield from summary(answer)
    yield heading("Listeners")
    yield table(LISTENERS, [listener_row(one) for one in rows(listeners, "listeners")], wide)
    yield heading("Upstreams")
    yield table(_UPSTREAMS, [_upstream_row(one) for one in rows(upstreams, "upstreams")], wide)
    yield heading("Workers")
    yield table(_WORKERS, [_worker_row(one) for one in rows(workers, "workers")], wide)
    bad = [one for one in rows(answer, "newest_ends") if words(one, "end") not in _ORDINARY]
    if bad:
        yield heading("Newest bad ends")
        yield table(_ENDS, [_end_row(one) for one in bad[:_MOST_ENDS]], wide)


def summary(answer: Json) -> Iterator[Text]:
    """The sentences at the top: health, what there is, the last reload, how sessions have ended."""
    healthy = bool(answer.get("healthy"))
    yield Text.assemble(
        f"l4d {words(answer, 'version')} is ",
        ("healthy", GOOD) if healthy else ("not healthy", BAD),
        f": generation {words(answer, 'generation', '?')}, {text.plural(whole(answer, 'sessions'), 'session')}, "
        f"up for {text.age(number(answer, 'uptime_seconds'))}, pid {words(answer, 'pid', '?')}, "
        f"configuration {words(answer, 'config', '?')}",
    )
    for problem in texts(answer, "problems"):
        yield Text.assemble(("  problem: ", BAD), problem)
    reloads = rows(answer, "reloads")
    if reloads:
        yield _last_change(reloads[0], words(answer, "time"))
    ends = part(answer, "ends")
    if ends:
        yield Text("ends: " + "  ".join(f"{text.clean(code)} {text.count(number(ends, code))}" for code in ends))
    lost = whole(answer, "log_lines_dropped_total")
    restarts = total(answer, "process_restarts_total")
    if lost or restarts:
        yield Text(f"log lines dropped: {text.count(lost)}; processes replaced: {text.count(restarts)}", DOUBTFUL)


def _last_change(change: Json, now: str) -> Text:
    """The last start, reload or upgrade, and what came of it."""
    ago = text.seconds_since(words(change, "time"), now)
    what, result = words(change, "what"), words(change, "result")
    said = f": {message}" if (message := words(change, "message")) else ""
    return Text.assemble(
        f"last {what}: ",
        (result, GOOD if result == "success" else BAD),
        f", generation {words(change, 'generation', '?')}{'' if ago is None else f', {text.age(ago)} ago'}{said}",
    )


def listener_row(listener: Json) -> Row:
    places = texts(listener, "addresses")
    refused = total(listener, "refused") + total(listener, "dropped")
    return (
        words(listener, "name"),
        words(listener, "protocol"),
        places[0] + (f" and {len(places) - 1} more" if len(places) > 1 else "") if places else "",
        words(listener, "upstream"),
        text.count(number(listener, "sessions")),
        text.count(number(listener, "sessions_total")),
        text.size(number(listener, "bytes_up")),
        text.size(number(listener, "bytes_down")),
        (text.count(refused), DOUBTFUL) if refused else "",
    )


def _upstream_row(upstream: Json) -> Row:
    servers = rows(upstream, "servers")
    out = [words(one, "name") for one in servers if not one.get("serving", True)]
    up = whole(upstream, "up")
    return (
        words(upstream, "name"),
        words(upstream, "balance"),
        words(upstream, "check"),
        _share(up, len(servers)),
        text.count(sum(number(one, "sessions") for one in servers)),
        text.count(number(upstream, "queued")),
        ", ".join(out),
    )


def _share(up: int, of: int) -> Cell:
    style = GOOD if up >= of else DOUBTFUL if up else BAD
    return f"{up} of {of}", style


def _worker_row(worker: Json) -> Row:
    state, beat = words(worker, "state"), number(worker, "heartbeat_age_seconds")
    turns = part(worker, "turns")
    return (
        words(worker, "slot"),
        words(worker, "generation"),
        words(worker, "pid"),
        (state, GOOD if state == "serving" else DOUBTFUL),
        text.count(number(worker, "sessions")),
        f"{number(worker, 'cpu_percent'):.0f}%",
        text.size(number(worker, "resident_bytes")),
        (text.age(beat), BAD) if beat > 2 else text.age(beat),
        text.milliseconds(maybe(turns, "recent_p99_ms") or maybe(turns, "p99_ms")),
    )


def _end_row(end: Json) -> Row:
    return (
        text.clock(words(end, "time")),
        words(end, "listener"),
        words(end, "client"),
        server_of(end),
        text.age(number(end, "duration_ms") / 1000),
        (words(end, "end"), DOUBTFUL),
        words(end, "end_text"),
    )


def server_of(session: Json) -> str:
    """`pg/two`, or `pg` while there is no server."""
    name = words(session, "server_name")
    return f"{words(session, 'upstream')}/{name}" if name else words(session, "upstream")
