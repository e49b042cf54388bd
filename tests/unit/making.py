"""What the tests of single modules are made of: parts of a configuration, a clock, a log that is a list."""

import os
import select
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from hypothesis import settings

from l4d.access.capacity import Capacity
from l4d.address import Host, Inet
from l4d.config import model
from l4d.config.checks import CHECK, CHECK_TABLE
from l4d.config.reading import defaults
from l4d.log.access import AccessLog
from l4d.log.log import Log
from l4d.loop.deadlines import Deadlines
from l4d.loop.loop import Loop
from l4d.session.forms import TextForm
from l4d.session.ids import Ids
from l4d.session.journal import Journal
from l4d.session.service import Service
from l4d.session.session import Session
from l4d.stats import catalogue
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.seat import Seat
from l4d.stats.tally import ListenerTally
from l4d.terms import Affinity, Balance, CheckType, HashKey, Level, OnDown, Protocol, Relay, ServerState
from l4d.upstream.place import Place
from l4d.upstream.pool import NEVER, Key, Pool
from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server

UNHURRIED = settings(deadline=None)
"""For what is given many examples: a busy machine is no failure."""

CONTROL = 1
"""The row that stands for control's."""

COLUMNS = 1024
"""A server has forty, and a test up to a dozen servers."""

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
    access_log="",
)

NO_CHECK: model.Check = CHECK_TABLE.make({**defaults(CHECK), "type": CheckType.OFF})

CHECKED: model.Check = CHECK_TABLE.make({**defaults(CHECK), "type": CheckType.AGENT})
"""With what control may say of a server that a check of some type has said."""

_UPSTREAM = model.Upstream(
    name="db",
    servers=(),
    balance=Balance.ROUND_ROBIN,
    hash_key=(HashKey.CLIENT,),
    connect_timeout=5.0,
    tries=0,
    tries_timeout=0.0,
    max_fails=1,
    fail_timeout=10.0,
    early_close=0.0,
    slow_start=0.0,
    on_down=OnDown.KEEP,
    queue=0,
    queue_timeout=10.0,
    check=CHECKED,
    source="",
)

_SERVER = model.Server(
    name="one", address=Inet("10.0.0.1", 5432), weight=1, max_sessions=0, backup=False, state=ServerState.READY
)


NO_ADMIN = model.Admin("", 0o600, None, ())


def listener(**changes: Any) -> model.Listener:
    return replace(_LISTENER, **changes)


def upstream(**changes: Any) -> model.Upstream:
    return replace(_UPSTREAM, **changes)


def member(**changes: Any) -> model.Server:
    """A server as the configuration has it."""
    return replace(_SERVER, **changes)


def config_of(*upstreams: model.Upstream) -> model.Config:
    """A whole configuration with these, and one listener."""
    main = model.Main(2, "", "", "", 0, 0, Affinity.OFF, 0.0, handover=True)
    log, resolver = model.Log(Level.INFO, "stderr", "off", "text"), model.Resolver((), 2.0, 1.0, 300.0)
    return model.Config(main, log, NO_ADMIN, resolver, {"web": listener()}, {each.name: each for each in upstreams}, ())


class Clock:
    """A clock that is a number. It stands in for the loop of what only asks the loop for the time."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds

    def as_loop(self) -> Loop:
        return cast(Loop, self)


class NeverWaiting(Loop):
    """A loop whose turns take what is ready and what is due, and never wait for more."""

    def turn(self) -> None:
        self._due(self.now)
        super().turn()


def is_told(fd: int) -> bool:
    """Whether anybody has written to this eventfd, of those that nobody reads."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


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


class OwnBoard(Board):
    """A board that goes with the test that made it; a program has one for as long as it lives."""

    def __del__(self) -> None:
        for fd in self.left:
            os.close(fd)


def always(*places: Place) -> Callable[[], Sequence[Place]]:
    """A pool's places that never become more."""
    return lambda: places


class Row:
    """A worker's place on a board that may be shared with others."""

    def __init__(self, board: Board | None = None, columns: Columns | None = None) -> None:
        self.board = board or OwnBoard(rows=8, columns=COLUMNS)
        self.columns = columns or Columns(COLUMNS)
        if self.board.rows_used == 1:
            self.board.take_row()  # control's
        self.number = self.board.take_row()
        self.row = self.board.row(self.number)

    def another(self) -> "Row":
        """The row of another worker, on the same board."""
        return Row(self.board, self.columns)

    @property
    def said(self) -> memoryview:
        """Control's row."""
        return self.board.row(CONTROL)

    def place(self, config: model.Upstream | None = None, seat: str = "", **changes: Any) -> Place:
        """A place of *config* as this worker sees it; *seat* is one of a server given by name."""
        entry = member(**changes)
        return Place(config or upstream(), entry, seat or entry.name, self.board, self.columns, self.row, self.said)

    def server(self, config: model.Upstream | None = None, now: float = 1000.0, **changes: Any) -> Server:
        """A member of *config* as this worker sees it, when it has looked at the board *now*."""
        place = self.place(config, **changes)
        place.refresh(now)
        assert place.server is not None
        return place.server

    def served(self, session: Session) -> Server:
        """The server that *session* was given, and that has answered it."""
        server = session.choose()
        assert server is not None
        session.served_by(server)
        return server

    def seat(self, number: int = 1, name: str = "db.example:80") -> Seat:
        """The seat of one address of a server given by *name*, to be filled as control does."""
        return Seat(self.said, self.columns, _UPSTREAM.name, f"{name}#{number}")

    def seat_place(self, config: model.Upstream | None = None, number: int = 1, **changes: Any) -> Place:
        """The place of that seat as this worker sees it."""
        entry = {"name": "db.example:80", "address": Host("db.example", 80), **changes}
        return self.place(config, f"{entry['name']}#{number}", **entry)

    def seated(self, address: Inet, config: model.Upstream | None = None, now: float = 1000.0) -> Server:
        """A server that has the first seat, at *address*."""
        place = self.seat_place(config)
        self.seat().sit(address, 1, backup=False)
        place.refresh(now)
        assert place.server is not None
        return place.server

    def pool(self, *places: Place, key: Key | None = None, step: float = NEVER) -> Pool:
        queue = self.row, self.columns.of(catalogue.QUEUE_SESSIONS, _UPSTREAM.name)
        return Pool(always(*places), RoundRobin, self.board, queue, key, step)

    def service(
        self,
        loop: Loop,
        *places: Place,
        listener: model.Listener = _LISTENER,
        upstream: model.Upstream = _UPSTREAM,
        sink: Lines | None = None,
        level: Level = Level.DEBUG,
        max_sessions: int = 100,
    ) -> Service:
        """A listener at work, counting on this row."""
        log = Log(sink or Lines(), level, "test")
        text = TextForm(listener)
        return Service(
            listener,
            upstream,
            self.pool(*places),
            loop,
            log,
            ListenerTally(self.row, self.columns, listener.name),
            Capacity(max_sessions, 2 * max_sessions),
            Ids(),
            Journal(log, text, deque(maxlen=64), text, None, Deadlines[AccessLog](1.0, lambda _access: None)),
            worker=0,
            generation=1,
        )
