"""What `l4d top` shows: one look at a running l4d, the rates since the last one, and the picture of both."""

import dataclasses
from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from l4d.cli.commands import text
from l4d.cli.commands.client import Client, Json
from l4d.cli.commands.rates import Rates
from l4d.cli.commands.servers import BAD, DOUBTFUL, PALE, state, why
from l4d.cli.commands.status import summary
from l4d.cli.commands.table import Column, Row, table
from l4d.cli.commands.told import maybe, number, numbers, part, rows, total, whole, words
from l4d.errors import StartError

One = TypeVar("One")

_LISTENERS = (
    Column("LISTENER"),
    Column("PROTOCOL", 4),
    Column("SESSIONS", right=True),
    Column("NEW/S", 2, right=True),
    Column("UP/S", 5, right=True),
    Column("DOWN/S", 3, right=True),
    Column("TOTAL", 6, right=True),
    Column("REFUSED", 1, right=True),
)

_SERVERS = (
    Column("SERVER"),
    Column("STATE"),
    Column("SESSIONS", right=True),
    Column("NEW/S", 2, right=True),
    Column("UP/S", 7, right=True),
    Column("DOWN/S", 6, right=True),
    Column("FAILED", 3, right=True),
    Column("CONNECT", 4, right=True),
    Column("WEIGHT", 8, right=True),
    Column("WHY", 1, folds=True),
)

_FEWEST = 3  # rows of listeners, however low the terminal is


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """One thing of a table: what its rows are sorted by, and what it shows."""

    name: str
    sessions: float
    rate: float
    failures: float
    connect: float
    row: Row


SORTS: dict[str, tuple[str, Callable[[Seen], tuple[float, str]]]] = {
    "s": ("sessions", lambda one: (-one.sessions, one.name)),
    "r": ("rate", lambda one: (-one.rate, one.name)),
    "f": ("failures", lambda one: (-one.failures, one.name)),
    "c": ("connect", lambda one: (-one.connect, one.name)),
    "n": ("name", lambda one: (0.0, one.name)),
}
"""The keys, what they sort by, and how."""


class View:
    """A running l4d, looked at again and again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rates = Rates()
        self._status: Json = {}
        self._listeners: list[Json] = []
        self._servers: list[tuple[str, Json]] = []
        self._lost: StartError | None = None
        self._looked = 0.0
        self.sort = "n"

    def look(self, now: float) -> None:
        """Ask how it is *now*. If it does not answer, the last picture stays, and says so."""
        try:
            self._ask()
        except StartError as error:
            self._lost = error
            return
        self._lost = None
        self._looked = now
        counters: dict[Hashable, float] = {}
        for kind, name, told in self._all():
            for key in ("sessions_total", "bytes_up", "bytes_down"):
                counters[kind, name, key] = number(told, key)
        self._rates.look(counters, now)

    def insist(self) -> None:
        """Raise StartError when the last look was in vain."""
        if self._lost is not None:
            raise self._lost

    def _ask(self) -> None:
        status, listeners, upstreams = (self._client.get(one) for one in ("status", "listeners", "upstreams"))
        self._status = status
        self._listeners = rows(listeners, "listeners")
        self._servers = [
            (f"{words(upstream, 'name')}/{words(server, 'name')}", server)
            for upstream in rows(upstreams, "upstreams")
            for server in rows(upstream, "servers")
        ]

    def _all(self) -> Iterator[tuple[str, str, Json]]:
        yield from (("listener", words(one, "name"), one) for one in self._listeners)
        yield from (("server", name, one) for name, one in self._servers)

    # The picture

    def picture(self, width: int | None, height: int | None, now: float) -> Group:
        """All of it on *width* times *height*; None: as large as it likes."""
        head = list(self._head(now))
        listeners = self._sorted([self._listener(one) for one in self._listeners])
        servers = self._sorted([self._server(name, one) for name, one in self._servers])
        room = None if height is None else max(height - len(head) - 6, 2)  # two titles, three blank lines, the keys
        some_listeners = None if room is None else max(_FEWEST, room // 3, room - len(servers))
        shown_listeners = _cut(listeners, some_listeners)
        left = None if room is None else room - len(shown_listeners)
        return Group(
            *head,
            Text(),
            table(_LISTENERS, shown_listeners, width, fold=False),
            Text(),
            table(_SERVERS, _cut(servers, left), width, fold=False),
        )

    def _head(self, now: float) -> Iterator[RenderableType]:
        for line in (*summary(self._status), self._now()) if self._status else ():
            line.no_wrap, line.overflow = True, "ellipsis"
            yield line
        if self._lost is not None:
            ago = f" (this is {text.age(now - self._looked)} old)" if self._status else ""
            yield Text(f"no answer{ago}, trying again: {self._lost}", BAD, no_wrap=True, overflow="ellipsis")

    def _now(self) -> Text:
        """The rates of the last second, as l4d itself has them."""
        history = part(self._status, "history")
        last = {
            key: (numbers(history, key) or [0.0])[-1] for key in ("new_sessions", "bytes_up", "bytes_down", "failures")
        }
        failures = f"failures {text.rate(last['failures'])}/s"
        return Text.assemble(
            f"now: {text.rate(last['new_sessions'])} new/s, up {text.size(last['bytes_up'])}/s, "
            f"down {text.size(last['bytes_down'])}/s, ",
            (failures, DOUBTFUL) if last["failures"] else failures,
        )

    def _sorted(self, found: list[Seen]) -> list[Row]:
        return [one.row for one in sorted(found, key=SORTS[self.sort][1])]

    def _listener(self, one: Json) -> Seen:
        name = words(one, "name")
        refused = total(one, "refused") + total(one, "dropped")
        cells: Row = (
            name,
            words(one, "protocol"),
            text.count(number(one, "sessions")),
            self._rate(("listener", name, "sessions_total")),
            self._flow(("listener", name, "bytes_up")),
            self._flow(("listener", name, "bytes_down")),
            text.count(number(one, "sessions_total")),
            (text.count(refused), DOUBTFUL) if refused else "",
        )
        rate = self._rates.of(("listener", name, "sessions_total")) or 0.0
        return Seen(name, number(one, "sessions"), rate, refused, 0.0, cells)

    def _server(self, name: str, one: Json) -> Seen:
        failed = total(one, "failures") + whole(part(one, "checks"), "failed")
        connect = maybe(part(one, "connect_ms"), "p50")
        cells: Row = (
            name,
            state(one),
            text.count(number(one, "sessions")),
            self._rate(("server", name, "sessions_total")),
            self._flow(("server", name, "bytes_up")),
            self._flow(("server", name, "bytes_down")),
            (text.count(failed), DOUBTFUL) if failed else "0",
            text.milliseconds(connect),
            text.count(number(one, "weight")),
            why(one),
        )
        rate = self._rates.of(("server", name, "sessions_total")) or 0.0
        return Seen(name, number(one, "sessions"), rate, failed, connect or 0.0, cells)

    def _rate(self, key: Hashable) -> str:
        rate = self._rates.of(key)
        return "" if rate is None else text.rate(rate)

    def _flow(self, key: Hashable) -> str:
        rate = self._rates.of(key)
        return "" if rate is None else text.size(rate)


def _cut(found: list[Row], most: int | None) -> list[Row]:
    """The first of *found*, and how many there are besides, in *most* lines."""
    if most is None or len(found) <= most:
        return found
    kept = max(most - 1, 0)
    blank = [""] * (len(found[0]) - 1)
    return [*found[:kept], ((f"... {len(found) - kept} more", PALE), *blank)]


def keys(sort: str) -> Text:
    """The line at the bottom: what may be typed."""
    line = Text("q quit  sort by:", no_wrap=True, overflow="ellipsis")
    for key, (what, _) in SORTS.items():
        line.append(" ")
        line.append(f"[{key} {what}]" if key == sort else f" {key} {what} ", "bold" if key == sort else "")
    return line
