"""What a listener and a server count in: one process's row, with the columns looked up once.

Counting is `tally.row[tally.bytes_up] += n`: the lines that count a read do it in place, because a method call
for each would cost more than the addition.
"""

from l4d.config.model import Config
from l4d.stats import catalogue, process
from l4d.stats.board import Board
from l4d.stats.columns import Columns, Key
from l4d.stats.histogram import Histogram
from l4d.stats.seat import Seat
from l4d.stats.standing import Standing
from l4d.terms import End, Protocol

REFUSALS = dict(zip((End.NO_SERVER_UP, End.LIMIT, End.NO_RESOURCE), catalogue.REFUSAL_REASONS, strict=True))
"""Ends by which l4d itself refuses a session, with the reason it is counted by."""


class ListenerTally:
    """A listener's numbers."""

    __slots__ = (
        "bytes_down",
        "bytes_up",
        "datagrams_down",
        "datagrams_up",
        "dropped",
        "duration",
        "ends",
        "refused",
        "row",
        "sessions",
        "sessions_total",
    )

    def __init__(self, row: memoryview, columns: Columns, listener: str) -> None:
        self.row = row
        self.sessions = columns.of(catalogue.SESSIONS, listener)
        self.sessions_total = columns.of(catalogue.SESSIONS_TOTAL, listener)
        self.bytes_up, self.bytes_down = (columns.of(catalogue.BYTES, listener, way) for way in catalogue.DIRECTIONS)
        self.datagrams_up, self.datagrams_down = (
            columns.of(catalogue.DATAGRAMS, listener, way) for way in catalogue.DIRECTIONS
        )
        self.ends = {end: columns.of(catalogue.SESSION_ENDS, listener, end.value) for end in End}
        self.refused = {end: columns.of(catalogue.REFUSED, listener, reason) for end, reason in REFUSALS.items()}
        self.dropped = {
            reason: columns.of(catalogue.DATAGRAMS_DROPPED, listener, reason) for reason in catalogue.DROP_REASONS
        }
        self.duration = Histogram(row, columns, catalogue.SESSION_DURATION, listener)

    def begun(self) -> None:
        """A session has begun."""
        self.row[self.sessions_total] += 1
        self.row[self.sessions] += 1

    def arrived(self) -> None:
        """A session has come from another worker."""
        self.row[self.sessions] += 1

    def left(self) -> None:
        """A session goes on in another worker."""
        self.row[self.sessions] -= 1

    def over(self, end: End, seconds: float) -> None:
        """A session is over, after so many *seconds*."""
        row = self.row
        row[self.sessions] -= 1
        row[self.ends[end]] += 1
        if end in self.refused:
            row[self.refused[end]] += 1
        self.duration.observe(seconds)

    def drop(self, reason: str, count: int = 1) -> None:
        """So many datagrams are not passed on."""
        self.row[self.dropped[reason]] += count


class ServerTally:
    """A server's numbers."""

    __slots__ = (
        "bytes_down",
        "bytes_up",
        "connect",
        "failed",
        "failed_since",
        "failures",
        "out_until",
        "queued",
        "recovered",
        "row",
        "sessions",
        "sessions_total",
    )

    def __init__(self, row: memoryview, columns: Columns, upstream: str, server: str) -> None:
        self.row = row
        self.sessions = columns.of(catalogue.SERVER_SESSIONS, upstream, server)
        self.sessions_total = columns.of(catalogue.SERVER_SESSIONS_TOTAL, upstream, server)
        self.bytes_up, self.bytes_down = (
            columns.of(catalogue.SERVER_BYTES, upstream, server, way) for way in catalogue.DIRECTIONS
        )
        self.failures = {
            reason: columns.of(catalogue.SERVER_FAILURES, upstream, server, reason)
            for reason in catalogue.FAILURE_REASONS
        }
        self.connect = Histogram(row, columns, catalogue.CONNECT, upstream, server)
        self.failed_since = columns.of(catalogue.FAILED_SINCE, upstream, server)
        self.failed = columns.of(catalogue.FAILED, upstream, server)
        self.out_until = columns.of(catalogue.OUT_UNTIL, upstream, server)
        self.recovered = columns.of(catalogue.RECOVERED, upstream, server)
        self.queued = columns.of(catalogue.QUEUE_SESSIONS, upstream)  # shared by all its servers


def complete(columns: Columns) -> None:
    """Give a column to every number of the listeners and servers that some have. Raises BoardFullError.

    Those of another version of the program are not all that this one keeps.
    """
    nobody = memoryview(b"")
    for (listener,), _column in list(columns.each(catalogue.SESSIONS)):
        ListenerTally(nobody, columns, listener)
    for (upstream, server), _column in list(columns.each(catalogue.SERVER_SESSIONS)):
        ServerTally(nobody, columns, upstream, server)


def in_use(board: Board, columns: Columns) -> set[Key]:
    """The keys of listeners and upstreams that sessions are counted for now, whether or not a file still has them."""
    metrics = {"listener": catalogue.SESSIONS, "upstream": catalogue.SERVER_SESSIONS}
    alive = {
        kind: {labels[0] for labels, column in columns.each(metric) if board.total(column)}
        for kind, metric in metrics.items()
    }
    return {
        (metric, labels)
        for metric, labels in columns.keys
        if metric.labels and labels[0] in alive.get(metric.labels[0], ())
    }


def reserve(columns: Columns, config: Config, slots: int = 1) -> frozenset[Key]:
    """Give a column to every number that l4d with *config* and so many *slots* will keep: their keys.

    Done by the master before it forks, so that all processes agree. Raises BoardFullError.
    """
    columns.record()
    nobody = memoryview(b"")  # it is only looked up which columns they would count in
    columns.of(catalogue.LOG_LINES_DROPPED)
    columns.of(catalogue.LAST_RELOAD)
    for result in catalogue.RELOAD_RESULTS:
        columns.of(catalogue.RELOADS, result)
    for role in catalogue.ROLES:
        columns.of(catalogue.RESTARTS, role)
    process.reserve(columns)
    Histogram(nobody, columns, catalogue.WORKER_LOOP)
    for protocol in Protocol:
        columns.of(catalogue.HANDED_OVER, protocol.value)
    for result in catalogue.QUERY_RESULTS:
        columns.of(catalogue.RESOLVER_QUERIES, result)
    for listener in config.listeners:
        ListenerTally(nobody, columns, listener)
    for upstream in config.upstreams.values():
        columns.of(catalogue.QUEUE_SESSIONS, upstream.name)
        for server in upstream.servers:
            for name in server.seats:
                ServerTally(nobody, columns, upstream.name, name)
                Standing(nobody, columns, upstream.name, name)
                if server.named:
                    Seat(nobody, columns, upstream.name, name)
            if server.named:
                Standing(nobody, columns, upstream.name, server.name)  # what is wished of all of them
                columns.of(catalogue.SEATS_TAKEN, upstream.name, server.name)
    for slot in range(slots):
        columns.of(catalogue.WORKER_CPU, str(slot))
    return columns.recorded
