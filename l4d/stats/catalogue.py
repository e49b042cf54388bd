"""Every number that is kept, declared once: its name, its kind, its labels and the sentence that explains it.

The names are those of the metrics an operator reads (SPEC section 7), without the prefix `l4d_`.
"""

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    COUNTER = "counter"  # only grows; survives the process that counted
    GAUGE = "gauge"  # goes with the process that holds it
    PRIVATE = "private"  # the workers' own; nobody is shown it


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of number: a column of the board for each value of its labels."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


def _counter(name: str, labels: str, text: str) -> Metric:
    return Metric(name, Kind.COUNTER, tuple(labels.split()), text)


def _gauge(name: str, labels: str, text: str) -> Metric:
    return Metric(name, Kind.GAUGE, tuple(labels.split()), text)


def _private(name: str, labels: str, text: str) -> Metric:
    return Metric(name, Kind.PRIVATE, tuple(labels.split()), text)


SESSIONS_TOTAL = _counter("sessions_total", "listener", "Sessions that were begun.")
SESSIONS = _gauge("sessions", "listener", "Sessions that live now.")
SESSION_ENDS = _counter("session_ends_total", "listener end", "Sessions that are over, by the reason of their end.")
BYTES = _counter("bytes_total", "listener direction", "Bytes passed on; up is from client to server.")
DATAGRAMS = _counter("datagrams_total", "listener direction", "Datagrams passed on; up is from client to server.")
DATAGRAMS_DROPPED = _counter("datagrams_dropped_total", "listener reason", "Datagrams not passed on, by the reason.")
SERVER_SESSIONS_TOTAL = _counter("server_sessions_total", "upstream server", "Sessions the server was given.")
SERVER_SESSIONS = _gauge("server_sessions", "upstream server", "Sessions the server has now.")
SERVER_BYTES = _counter("server_bytes_total", "upstream server direction", "Bytes passed to and from the server.")
SERVER_FAILURES = _counter("server_failures_total", "upstream server reason", "Failed dials, by the reason.")
LOG_LINES_DROPPED = _counter("log_lines_dropped_total", "", "Log lines that could not be written.")

HEARTBEAT = _private("heartbeat", "", "Monotonic milliseconds of the process's last turn.")
FAILED_SINCE = _private("failed_since", "upstream server", "Monotonic milliseconds at which the count of fails began.")
FAILED = _private("failed", "upstream server", "Failed dials since then.")
OUT_UNTIL = _private("out_until", "upstream server", "Monotonic milliseconds until which the server is out.")

PROCESS_METRICS = (LOG_LINES_DROPPED, HEARTBEAT)
LISTENER_METRICS = (SESSIONS_TOTAL, SESSIONS, SESSION_ENDS, BYTES, DATAGRAMS, DATAGRAMS_DROPPED)
SERVER_METRICS = (
    SERVER_SESSIONS_TOTAL,
    SERVER_SESSIONS,
    SERVER_BYTES,
    SERVER_FAILURES,
    FAILED_SINCE,
    FAILED,
    OUT_UNTIL,
)

DIRECTIONS = ("up", "down")
DROP_REASONS = ("no_server", "no_resource", "table_full", "not_sent", "stopping", "queue_full")
FAILURE_REASONS = ("refused", "timeout", "unreachable", "early_close", "other")
