"""What the board says of upstreams and their servers, and why a server is given no sessions.

A server's standing is judged as the pool judges it (upstream/server.py), from outside: without a worker's own memory.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from l4d.config.model import Config, Server, Upstream
from l4d.stats import catalogue
from l4d.stats.distribution import Distribution
from l4d.stats.numbers import Numbers
from l4d.stats.seat import Occupant, Seat
from l4d.stats.standing import Situation, Standing, Verdict, subject_of
from l4d.terms import Role, ServerState


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator wishes, as far as it is in force."""

    state: ServerState | None = None
    weight: int | None = None
    max_sessions: int | None = None


@dataclass(frozen=True, slots=True)
class ServerPicture:
    """One server: an entry of the file, or one address of a name."""

    name: str
    entry: Server
    address: str  # of a name without addresses, the name
    present: bool  # False: its seat is empty, or its name has no address
    up: bool  # by its checks, its name and the dials that failed; whatever anybody wants of it
    verdict: Verdict
    state: ServerState
    why: str  # it may not be given sessions now; empty: it may
    weight: float
    max_sessions: int
    backup: bool
    sessions: int
    sessions_total: int
    bytes_up: int
    bytes_down: int
    failures: dict[str, int]  # by reason
    checks: dict[str, int]  # by result
    out_seconds: float  # failed dials keep it out for so long yet
    connect: Distribution
    wishes: Wishes
    agent: str  # what its agent wants, in words; empty: nothing

    @property
    def serving(self) -> bool:
        """Whether it may be given sessions now."""
        return not self.why


@dataclass(frozen=True, slots=True)
class UpstreamPicture:
    """One upstream."""

    upstream: Upstream
    listeners: tuple[str, ...]  # that send it sessions
    queued: int
    servers: tuple[ServerPicture, ...]  # those that are there
    nowhere: tuple[ServerPicture, ...]  # names that have no address now
    vacant: tuple[ServerPicture, ...]  # seats in which nobody sits now: only what was counted there is of interest

    @property
    def up(self) -> int:
        """How many servers may be given sessions now."""
        return sum(server.serving for server in self.servers)


def upstreams(numbers: Numbers, config: Config, control_row: int, now: float) -> list[UpstreamPicture]:
    """All of the file's, in its order. *now* is monotonic seconds."""
    return [upstream(numbers, config, one, control_row, now) for one in config.upstreams.values()]


def upstream(numbers: Numbers, config: Config, one: Upstream, control_row: int, now: float) -> UpstreamPicture:
    """One upstream; *control_row* is the row in which control says what it knows."""
    look = _Look(numbers, one, numbers.board.row(control_row), now)
    every = [server for entry in one.servers for server in look.at(entry)]
    there = [server for server in every if server.present]
    return UpstreamPicture(
        one,
        tuple(listener.name for listener in config.listeners.values() if listener.upstream == one.name),
        numbers.total(catalogue.QUEUE_SESSIONS, one.name),
        tuple(_with_backups_waiting(there)),
        tuple(server for server in every if not server.present and server.name == server.entry.name),
        tuple(server for server in every if not server.present and server.name != server.entry.name),
    )


def _with_backups_waiting(servers: list[ServerPicture]) -> list[ServerPicture]:
    """Backups serve only when no ordinary server can; one that is full has kept none from serving before."""
    if not any(server.serving and not server.backup for server in servers):
        return servers
    waits = "backup, and ordinary servers serve"
    return [replace(server, why=waits) if server.serving and server.backup else server for server in servers]


class _Look:
    """One look at the servers of one upstream."""

    def __init__(self, numbers: Numbers, upstream: Upstream, said: memoryview, now: float) -> None:
        self._numbers = numbers
        self._upstream = upstream
        self._said = said
        self._now = now

    def at(self, entry: Server) -> Iterable[ServerPicture]:
        """The servers an entry stands for. A name without any address is one that is not there."""
        if not entry.named:
            return [self._server(entry, entry.name, str(entry.address))]
        columns, upstream = self._numbers.columns, self._upstream.name
        taken = self._numbers.seats_taken(upstream, entry)
        seats = [(name, Seat(self._said, columns, upstream, name).read()) for name in entry.seats[:taken]]
        found = [self._seated(entry, name, occupant) for name, occupant in seats]
        if not any(server.present for server in found):
            found.append(self._nowhere(entry))
        return found

    def _seated(self, entry: Server, name: str, occupant: Occupant | None) -> ServerPicture:
        if occupant is None:
            return replace(self._server(entry, name, ""), present=False, up=False, why="nobody has this place now")
        return self._server(entry, name, str(occupant.address), occupant)

    def _nowhere(self, entry: Server) -> ServerPicture:
        return replace(
            self._server(entry, entry.name, str(entry.address)),
            present=False,
            up=False,
            verdict=Verdict.DOWN,
            why="its name has no address",
        )

    def _server(self, entry: Server, name: str, address: str, occupant: Occupant | None = None) -> ServerPicture:
        numbers, columns, upstream = self._numbers, self._numbers.columns, self._upstream
        standing = Standing(self._said, columns, upstream.name, name)
        whole = Standing(self._said, columns, upstream.name, entry.name) if entry.named else None
        weight = occupant.weight if occupant is not None else entry.weight
        situation = standing.read(entry, weight, whole, subject_of(upstream, entry))
        wishes = Wishes(*standing.wishes(entry, whole))
        labels = upstream.name, name
        ways = numbers.by(catalogue.SERVER_BYTES, labels, catalogue.DIRECTIONS)
        out_seconds = self._out_seconds(name)
        sessions = numbers.total(catalogue.SERVER_SESSIONS, *labels)
        agent_state, percent = standing.wanted if standing.is_of(subject_of(upstream, entry)) else (None, None)
        gone = "its address has gone from DNS" if occupant is not None and occupant.leaving else ""
        down = why_down(upstream, situation)
        out = why_out(upstream, out_seconds)
        why = gone or why_unwanted(entry, situation, wishes) or down or out or why_full(situation, sessions)
        return ServerPicture(
            name,
            entry,
            address,
            True,
            not (gone or down or out),
            situation.verdict,
            situation.state,
            why,
            situation.weight,
            situation.max_sessions,
            entry.backup or (occupant is not None and occupant.backup),
            sessions,
            numbers.total(catalogue.SERVER_SESSIONS_TOTAL, *labels),
            ways["up"],
            ways["down"],
            numbers.by(catalogue.SERVER_FAILURES, labels, catalogue.FAILURE_REASONS),
            numbers.by(catalogue.SERVER_CHECKS, labels, catalogue.CHECK_RESULTS),
            out_seconds,
            numbers.distribution(catalogue.CONNECT, *labels),
            wishes,
            _agent_words(agent_state, percent),
        )

    def _out_seconds(self, name: str) -> float:
        """How long failed dials keep it out yet, as stats/failures.py has it."""
        labels = self._upstream.name, name
        out = self._numbers.latest(catalogue.OUT_UNTIL, *labels) / 1000
        recovered = self._numbers.latest(catalogue.RECOVERED, *labels) / 1000
        return 0.0 if out - self._upstream.fail_timeout < recovered else max(0.0, out - self._now)


def why_unwanted(entry: Server, situation: Situation, wishes: Wishes) -> str:
    """Who wants a server to be given nothing, in words; empty: nobody."""
    if situation.state is ServerState.READY:
        return ""
    state = situation.state.value
    if situation.state is wishes.state:
        return f"{state}, by the operator"
    by_file = wishes.state is None and situation.state is entry.state
    return f"{state}, in the file" if by_file else f"{state}, by its agent"


def why_down(upstream: Upstream, situation: Situation) -> str:
    """Why checks keep a server from being chosen, in words; empty: they do not."""
    if situation.verdict is Verdict.DOWN:
        return "down by its checks"
    if situation.verdict is Verdict.UNKNOWN and upstream.check.role is not Role.ANY:
        return f"not known to be the {upstream.check.role.value} yet"
    return ""


def why_out(upstream: Upstream, out_seconds: float) -> str:
    """Whether failed dials keep a server out, in words; empty: they do not."""
    if not out_seconds:
        return ""
    fails = f"{upstream.max_fails} failed {'dial' if upstream.max_fails == 1 else 'dials'}"
    return f"out for {math.ceil(out_seconds)} s more after {fails}"


def why_full(situation: Situation, sessions: int) -> str:
    """Whether a server has its max_sessions, in words; empty: it has not."""
    full = 0 < situation.max_sessions <= sessions
    return f"full: {sessions} of max_sessions {situation.max_sessions}" if full else ""


def _agent_words(state: ServerState | None, percent: int | None) -> str:
    """As in "drain, 50 % of its weight"."""
    words = [state.value] if state is not None else []
    if percent is not None:
        words.append(f"{percent} % of its weight")
    return ", ".join(words)
