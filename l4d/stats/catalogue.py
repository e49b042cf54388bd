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
SERVER_SESSIONS = _gauge("server_sessions", "upstream server", "Sessions the server has now, or is dialled for.")
SERVER_BYTES = _counter("server_bytes_total", "upstream server direction", "Bytes passed to and from the server.")
SERVER_FAILURES = _counter("server_failures_total", "upstream server reason", "Failed dials, by the reason.")
SERVER_CHECKS = _counter("server_checks_total", "upstream server result", "Checks of the server, by their result.")
QUEUE_SESSIONS = _gauge("queue_sessions", "upstream", "Sessions that wait because every server has its max_sessions.")
RESOLVER_QUERIES = _counter("resolver_queries_total", "result", "Questions to nameservers, by their result.")
HANDED_OVER = _counter("handed_over_total", "protocol", "Sessions that were taken over from the last generation.")
LOG_LINES_DROPPED = _counter("log_lines_dropped_total", "", "Log lines that could not be written.")

HEARTBEAT = _private("heartbeat", "", "Monotonic milliseconds of the process's last turn.")
FAILED_SINCE = _private("failed_since", "upstream server", "Monotonic milliseconds at which the count of fails began.")
FAILED = _private("failed", "upstream server", "Failed dials since then.")
OUT_UNTIL = _private("out_until", "upstream server", "Monotonic milliseconds until which the server is out.")
RECOVERED = _private("recovered", "upstream server", "Monotonic milliseconds at which it answered after it was out.")

VERDICT = _private("verdict", "upstream server", "What the checks say: not known, up, down.")
SUBJECT = _private(
    "subject", "upstream server", "What the verdict is of: a hash of the address, and of how it is asked."
)
UP_SINCE = _private(
    "up_since", "upstream server", "Monotonic milliseconds at which the server came back; 0: it was up."
)
WISHED_STATE = _private("wished_state", "upstream server", "The operator's state for the server.")
WISHED_WEIGHT = _private("wished_weight", "upstream server", "The operator's weight for the server.")
WISHED_SESSIONS = _private("wished_sessions", "upstream server", "The operator's max_sessions for the server.")
AGENT = _private("agent", "upstream server", "What the server's agent wants: a state, a percentage of its weight.")
SEATS_TAKEN = _private("seats_taken", "upstream server", "How many seats of a name were ever taken.")
SEAT = _private("seat", "upstream server", "Who sits there: port, weight, flags, and how many sat there before.")
SEAT_HIGH = _private("seat_high", "upstream server", "The upper half of an IPv6 address.")
SEAT_LOW = _private("seat_low", "upstream server", "The lower half of an IPv6 address, or an IPv4 address.")

PROCESS_METRICS = (LOG_LINES_DROPPED, RESOLVER_QUERIES, HANDED_OVER, HEARTBEAT)
UPSTREAM_METRICS = (QUEUE_SESSIONS,)
LISTENER_METRICS = (SESSIONS_TOTAL, SESSIONS, SESSION_ENDS, BYTES, DATAGRAMS, DATAGRAMS_DROPPED)
SERVER_METRICS = (
    SERVER_SESSIONS_TOTAL,
    SERVER_SESSIONS,
    SERVER_BYTES,
    SERVER_FAILURES,
    FAILED_SINCE,
    FAILED,
    OUT_UNTIL,
    RECOVERED,
)
STANDING_METRICS = (SERVER_CHECKS, VERDICT, SUBJECT, UP_SINCE, WISHED_STATE, WISHED_WEIGHT, WISHED_SESSIONS, AGENT)
"""Of servers too; control writes them."""

SEAT_METRICS = (SEAT, SEAT_HIGH, SEAT_LOW)
"""Of servers that a name stands for; control writes them, and SEATS_TAKEN for the name."""

DIRECTIONS = ("up", "down")
DROP_REASONS = ("no_server", "no_resource", "table_full", "not_sent", "stopping", "queue_full")
CHECK_RESULTS = ("good", "failed")
QUERY_RESULTS = ("answered", "empty", "failed")
FAILURE_REASONS = ("refused", "timeout", "unreachable", "early_close", "other")
