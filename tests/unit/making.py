"""What the tests of single modules are made of: parts of a configuration, a clock, a log that is a list."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from hypothesis import settings

from l4d.access.capacity import Capacity
from l4d.address import Inet
from l4d.config import model
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.session.service import Service
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.failures import SharedFailures
from l4d.stats.tally import ListenerTally, ServerTally
from l4d.terms import Balance, Level, Protocol, Relay, ServerState
from l4d.upstream.pool import Pool
from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server

UNHURRIED = settings(deadline=None)
"""For what is given many examples: a busy machine is no failure."""

_LISTENER = model.Listener(
    name="web",
    bind=("127.0.0.1:80",),
    addresses=(Inet("127.0.0.1", 80),),
    protocol=Protocol.TCP,
    upstream="db",
    idle_timeout=600.0,
    half_close=True,
    half_close_timeout=60.0,
    max_session_time=0.0,
    backlog=128,
    keepalive=model.Keepalive(enabled=False),
    user_timeout=0.0,
    fast_open=False,
    defer_accept=False,
    relay=Relay.AUTO,
    receive_buffer=0,
    send_buffer=0,
    responses=-1,
    requests=0,
)

_UPSTREAM = model.Upstream(
    name="db",
    servers=(),
    balance=Balance.ROUND_ROBIN,
    connect_timeout=5.0,
    tries=0,
    tries_timeout=0.0,
    max_fails=1,
    fail_timeout=10.0,
    early_close=0.0,
    source="",
)

_SERVER = model.Server(name="one", address=Inet("10.0.0.1", 5432), weight=1, backup=False, state=ServerState.READY)


def listener(**changes: Any) -> model.Listener:
    return replace(_LISTENER, **changes)


def upstream(**changes: Any) -> model.Upstream:
    return replace(_UPSTREAM, **changes)


def member(**changes: Any) -> model.Server:
    """A server as the configuration has it."""
    return replace(_SERVER, **changes)


class Clock:
    """A clock that is a number. It stands in for the loop of what only asks the loop for the time."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def as_loop(self) -> Loop:
        return cast(Loop, self)


class NeverWaiting(Loop):
    """A loop whose turns take what is ready and what is due, and never wait for more."""

    def turn(self) -> None:
        self._due(self.now)
        super().turn()


class Lines:
    """A sink that is a list; while it is *broken* it takes nothing."""

    fd = -1

    def __init__(self) -> None:
        self.taken: list[tuple[Level, str]] = []
        self.broken = False

    def write(self, level: Level, who: str, text: str) -> bool:
        if not self.broken:
            self.taken.append((level, text))
        return not self.broken

    def reopen(self, fd: int) -> None:
        self.reopened = fd

    def close(self) -> None:
        self.broken = True

    @property
    def texts(self) -> list[str]:
        return [text for _level, text in self.taken]


class Row:
    """A worker's place on a board that may be shared with others."""

    def __init__(self, board: Board | None = None, columns: Columns | None = None) -> None:
        self.board = board or Board(rows=8, columns=512)
        self.columns = columns or Columns(512)
        self.number = self.board.take_row()
        self.row = self.board.row(self.number)

    def another(self) -> "Row":
        """The row of another worker, on the same board."""
        return Row(self.board, self.columns)

    def server(self, config: model.Upstream | None = None, **changes: Any) -> Server:
        """A member of *config* as this worker sees it."""
        config = config or upstream()
        tally = ServerTally(self.row, self.columns, config.name, changes.get("name", "one"))
        return Server(config, member(**changes), SharedFailures(self.board, tally), tally)

    def pool(self, *servers: Server, bell: Callable[[], int] | None = None) -> Pool:
        return Pool(servers, RoundRobin(), bell or (lambda: self.board.bell))

    def service(
        self,
        loop: Loop,
        *servers: Server,
        listener: model.Listener = _LISTENER,
        upstream: model.Upstream = _UPSTREAM,
        sink: Lines | None = None,
        level: Level = Level.DEBUG,
        max_sessions: int = 100,
    ) -> Service:
        """A listener at work, counting on this row."""
        return Service(
            listener,
            upstream,
            self.pool(*servers),
            loop,
            Log(sink or Lines(), level, "test"),
            ListenerTally(self.row, self.columns, listener.name),
            Capacity(max_sessions, 2 * max_sessions),
        )
