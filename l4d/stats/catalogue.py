"""Every number that is kept or told, declared once: its name, its kind, its labels and the sentence that explains it.

The names are those of the metrics an operator reads (SPEC section 7), without the prefix `l4d_`. From here come the
columns of the board, the text of /metrics (admin/metrics.py) and docs/metrics.md.
"""

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    COUNTER = "counter"  # only grows; survives the process that counted
    GAUGE = "gauge"  # goes with the process that holds it
    HISTOGRAM = "histogram"  # so many counters, one for each bucket, and the sum
    COMPUTED = "computed"  # a gauge that has no column: it follows from other numbers when it is asked for
    PRIVATE = "private"  # l4d's own; nobody is shown it


LE = "le"
"""The label that tells the columns of one histogram apart: the upper bound of a bucket, or SUM."""

INFINITE = "+Inf"
"""The bucket of what is more than the last bound."""

SUM = "sum"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One kind of number: a column of the board for each value of its labels. Each is itself alone."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    unit: int = 1  # so many on the board are one of what is shown
    bounds: tuple[float, ...] = ()  # of a histogram's buckets: what is as much as a bound counts below it
    buckets: tuple[str, ...] = ()  # a histogram's, by their bounds as they are written

    @property
    def column_labels(self) -> tuple[str, ...]:
        """What tells its columns apart."""
        return (*self.labels, LE) if self.kind is Kind.HISTOGRAM else self.labels


def _counter(name: str, labels: str, text: str, unit: int = 1) -> Metric:
    return Metric(name, Kind.COUNTER, tuple(labels.split()), text, unit)


def _gauge(name: str, labels: str, text: str, unit: int = 1) -> Metric:
    return Metric(name, Kind.GAUGE, tuple(labels.split()), text, unit)


def _histogram(name: str, labels: str, text: str, bounds: tuple[float, ...]) -> Metric:
    buckets = (*(f"{bound:g}" for bound in bounds), INFINITE)
    return Metric(name, Kind.HISTOGRAM, tuple(labels.split()), text, MICROSECONDS, bounds, buckets)


def _computed(name: str, labels: str, text: str) -> Metric:
    return Metric(name, Kind.COMPUTED, tuple(labels.split()), text)


def _private(name: str, labels: str, text: str) -> Metric:
    return Metric(name, Kind.PRIVATE, tuple(labels.split()), text)


MILLISECONDS = 1_000
MICROSECONDS = 1_000_000

SLOW_TURN = 0.05
"""A turn of a worker's loop that takes longer than these seconds is one its clients may notice. It is a bound."""

INFO = _computed("info", "version generation", "Always 1; says which version runs, and which generation serves.")
WORKERS = _computed("workers", "state", "Worker processes, those on their way out among them, by what they do.")
SESSIONS_TOTAL = _counter("sessions_total", "listener", "Sessions that were begun.")
SESSIONS = _gauge("sessions", "listener", "Sessions that live now.")
SESSION_ENDS = _counter("session_ends_total", "listener end", "Sessions that are over, by the reason of their end.")
BYTES = _counter("bytes_total", "listener direction", "Bytes passed on; up is from client to server.")
DATAGRAMS = _counter("datagrams_total", "listener direction", "Datagrams passed on; up is from client to server.")
REFUSED = _counter("refused_total", "listener reason", "Sessions that l4d itself refused, by the reason.")
SESSION_DURATION = _histogram(
    "session_duration_seconds",
    "listener",
    "How long sessions lived that are over.",
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600, 86400),
)
CONNECT = _histogram(
    "connect_seconds",
    "upstream server",
    "How long the server took to answer a dial, over UDP to send its first datagram.",
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
SERVER_UP = _computed(
    "server_up",
    "upstream server",
    "Whether the server is up by its checks, its name and the dials that failed, whatever its state: 1 or 0.",
)
SERVER_STATE = _computed(
    "server_state",
    "upstream server state",
    "The state by file, operator and agent: 1 for the one it has, 0 for others.",
)
SERVER_WEIGHT = _computed("server_weight", "upstream server", "The server's weight by file, operator and agent.")
SERVER_SESSIONS = _gauge("server_sessions", "upstream server", "Sessions the server has now, or is dialled for.")
SERVER_SESSIONS_TOTAL = _counter("server_sessions_total", "upstream server", "Sessions the server was given.")
SERVER_BYTES = _counter("server_bytes_total", "upstream server direction", "Bytes passed to and from the server.")
SERVER_FAILURES = _counter("server_failures_total", "upstream server reason", "Failed dials, by the reason.")
SERVER_CHECKS = _counter("server_checks_total", "upstream server result", "Checks of the server, by their result.")
RELOADS = _counter("reloads_total", "result", "Reloads and upgrades, by their result; the start is none.")
LAST_RELOAD = _gauge(
    "last_reload_timestamp_seconds",
    "",
    "When the configuration that serves began to, in seconds since 1970.",
    MILLISECONDS,
)
HANDED_OVER = _counter("handed_over_total", "protocol", "Sessions that were taken over from the last generation.")
WORKER_CPU = _counter("worker_cpu_seconds_total", "slot", "Processor time the workers of a slot used.", MILLISECONDS)
WORKER_RESIDENT = _computed(
    "worker_resident_bytes", "slot", "Memory of a slot's workers, what they share with others included."
)
WORKER_LOOP = _histogram(
    "worker_loop_seconds",
    "",
    "How long one turn of a worker's loop took, from the first event to the end of the batch.",
    (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, SLOW_TURN, 0.1, 0.25, 0.5, 1),
)
QUEUE_SESSIONS = _gauge("queue_sessions", "upstream", "Sessions that wait because every server has its max_sessions.")
RESOLVER_QUERIES = _counter("resolver_queries_total", "result", "Questions to nameservers, by their result.")
DATAGRAMS_DROPPED = _counter("datagrams_dropped_total", "listener reason", "Datagrams not passed on, by the reason.")
LOG_LINES_DROPPED = _counter("log_lines_dropped_total", "", "Log lines that could not be written.")
RESTARTS = _counter("process_restarts_total", "role", "Processes that died and were replaced, by what they were.")

PID = _private("pid", "", "The process that writes the row; 0: there is none.")
GENERATION = _private("generation", "", "Its generation.")
SLOT = _private("slot", "", "A worker's slot, and one more; 0: it is none.")
SLOTS = _private("slots", "", "How many slots its generation has.")
STATE = _private("state", "", "What a worker does: its place among terms.WorkerState.")
HEARTBEAT = _private("heartbeat", "", "Monotonic milliseconds of the process's last turn.")
FAILED_SINCE = _private("failed_since", "upstream server", "Monotonic milliseconds at which the count of fails began.")
FAILED = _private("failed", "upstream server", "Failed dials since then.")
OUT_UNTIL = _private("out_until", "upstream server", "Monotonic milliseconds until which the server is out.")
RECOVERED = _private("recovered", "upstream server", "Monotonic milliseconds at which it answered after it was out.")

VERDICT = _private("verdict", "upstream server", "What the checks say: not known, up, down.")
SUBJECT = _private(
    "subject", "upstream server", "What the verdict is of: a hash of the address, and of how it is asked."
)
JUDGED = _private(
    "judged", "upstream server", "Monotonic milliseconds of the last change of the verdict; 0: there was none."
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

MASTER_METRICS = (RELOADS, LAST_RELOAD, RESTARTS)
"""The master writes them, on the retired row."""

PROCESS_METRICS = (
    LOG_LINES_DROPPED,
    RESOLVER_QUERIES,
    HANDED_OVER,
    WORKER_CPU,
    WORKER_LOOP,
    HEARTBEAT,
    PID,
    GENERATION,
    SLOT,
    SLOTS,
    STATE,
)
UPSTREAM_METRICS = (QUEUE_SESSIONS,)
LISTENER_METRICS = (
    SESSIONS_TOTAL,
    SESSIONS,
    SESSION_ENDS,
    SESSION_DURATION,
    BYTES,
    DATAGRAMS,
    DATAGRAMS_DROPPED,
    REFUSED,
)
SERVER_METRICS = (
    SERVER_SESSIONS_TOTAL,
    SERVER_SESSIONS,
    SERVER_BYTES,
    SERVER_FAILURES,
    CONNECT,
    FAILED_SINCE,
    FAILED,
    OUT_UNTIL,
    RECOVERED,
)
STANDING_METRICS = (
    SERVER_CHECKS,
    VERDICT,
    SUBJECT,
    JUDGED,
    UP_SINCE,
    WISHED_STATE,
    WISHED_WEIGHT,
    WISHED_SESSIONS,
    AGENT,
)
"""Of servers too; control writes them."""

SEAT_METRICS = (SEAT, SEAT_HIGH, SEAT_LOW)
"""Of servers that a name stands for; control writes them, and SEATS_TAKEN for the name."""

DIRECTIONS = ("up", "down")
REFUSAL_REASONS = ("no_server", "full", "no_resource")
DROP_REASONS = ("no_server", "no_resource", "table_full", "not_sent", "stopping", "queue_full")
CHECK_RESULTS = ("good", "failed")
QUERY_RESULTS = ("answered", "empty", "failed")
FAILURE_REASONS = ("refused", "timeout", "unreachable", "early_close", "other")
RELOAD_RESULTS = ("success", "failure")
ROLES = ("worker", "control")

SHOWN: tuple[Metric, ...] = (
    INFO,
    WORKERS,
    SESSIONS_TOTAL,
    SESSIONS,
    SESSION_ENDS,
    BYTES,
    DATAGRAMS,
    REFUSED,
    SESSION_DURATION,
    CONNECT,
    SERVER_UP,
    SERVER_STATE,
    SERVER_WEIGHT,
    SERVER_SESSIONS,
    SERVER_SESSIONS_TOTAL,
    SERVER_BYTES,
    SERVER_FAILURES,
    SERVER_CHECKS,
    RELOADS,
    LAST_RELOAD,
    HANDED_OVER,
    WORKER_CPU,
    WORKER_RESIDENT,
    WORKER_LOOP,
    QUEUE_SESSIONS,
    RESOLVER_QUERIES,
    DATAGRAMS_DROPPED,
    LOG_LINES_DROPPED,
    RESTARTS,
)
"""What an operator is shown, in the order of SPEC."""
