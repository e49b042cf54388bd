"""What the board says of listeners, processes and the whole, as plain values for whoever shows them.

Nothing is decided here and nothing is changed. Upstreams and their servers: stats/picture_servers.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from l4d.config.model import Config, Listener
from l4d.stats import catalogue
from l4d.stats.distribution import Distribution
from l4d.stats.numbers import Numbers
from l4d.stats.process import present, processes
from l4d.terms import End, Protocol, WorkerState


@dataclass(frozen=True, slots=True)
class ListenerPicture:
    """One listener's numbers."""

    listener: Listener
    sessions: int
    sessions_total: int
    bytes_up: int
    bytes_down: int
    datagrams_up: int
    datagrams_down: int
    dropped: dict[str, int]
    refused: dict[str, int]
    ends: dict[End, int]  # those that its protocol knows, and any that there were
    duration: Distribution


@dataclass(frozen=True, slots=True)
class ProcessPicture:
    """A worker or control, as it has said itself. *pid* may be gone by now."""

    slot: int  # -1: it is control
    generation: int
    pid: int
    state: WorkerState
    heartbeat_age: float  # seconds; since the machine's start, if it has not turned yet
    sessions: int
    cpu_seconds: float
    turns: Distribution
    serves: bool  # as stats/process.py has it


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole."""

    generation: int  # the one that serves, or did last; 0: none
    sessions: int
    sessions_total: int
    bytes_up: int
    bytes_down: int
    datagrams_up: int
    datagrams_down: int
    ends: dict[End, int]
    handed_over: dict[str, int]  # by protocol
    queries: dict[str, int]  # by result
    reloads: dict[str, int]  # by result
    last_reload: float  # seconds since 1970; 0: not yet
    restarts: dict[str, int]  # by role
    log_lines_dropped: int


def listeners(numbers: Numbers, config: Config) -> list[ListenerPicture]:
    """All of the file's, in its order."""
    return [listener(numbers, one) for one in config.listeners.values()]


def listener(numbers: Numbers, one: Listener) -> ListenerPicture:
    """One listener."""
    name = (one.name,)
    ways = numbers.by(catalogue.BYTES, name, catalogue.DIRECTIONS)
    datagrams = numbers.by(catalogue.DATAGRAMS, name, catalogue.DIRECTIONS)
    ends = {end: numbers.total(catalogue.SESSION_ENDS, one.name, end.value) for end in End}
    return ListenerPicture(
        one,
        numbers.total(catalogue.SESSIONS, one.name),
        numbers.total(catalogue.SESSIONS_TOTAL, one.name),
        ways["up"],
        ways["down"],
        datagrams["up"],
        datagrams["down"],
        numbers.by(catalogue.DATAGRAMS_DROPPED, name, catalogue.DROP_REASONS),
        numbers.by(catalogue.REFUSED, name, catalogue.REFUSAL_REASONS),
        {end: count for end, count in ends.items() if count or is_end_of(one.protocol, end)},
        numbers.distribution(catalogue.SESSION_DURATION, one.name),
    )


_OF_TCP_ALONE = frozenset(end for end in End if end.value[0] in "-CScs") - {End.SERVER_DOWN, End.NO_SERVER_ACCEPTED}


def is_end_of(protocol: Protocol, end: End) -> bool:
    """Whether sessions of *protocol* end so in the ordinary course of things."""
    if protocol is Protocol.TCP:
        return not end.value.startswith("U")
    return end not in _OF_TCP_ALONE


def totals(numbers: Numbers, config: Config) -> Totals:
    """The sums over the file's listeners, and what belongs to none."""
    every = listeners(numbers, config)
    workers = present(processes(numbers.board, numbers.columns))
    return Totals(
        workers[0].generation if workers else 0,
        sum(each.sessions for each in every),
        sum(each.sessions_total for each in every),
        sum(each.bytes_up for each in every),
        sum(each.bytes_down for each in every),
        sum(each.datagrams_up for each in every),
        sum(each.datagrams_down for each in every),
        {end: sum(each.ends.get(end, 0) for each in every) for end in End},
        numbers.by(catalogue.HANDED_OVER, (), [protocol.value for protocol in Protocol]),
        numbers.by(catalogue.RESOLVER_QUERIES, (), catalogue.QUERY_RESULTS),
        numbers.by(catalogue.RELOADS, (), catalogue.RELOAD_RESULTS),
        numbers.total(catalogue.LAST_RELOAD) / catalogue.LAST_RELOAD.unit,
        numbers.by(catalogue.RESTARTS, (), catalogue.ROLES),
        numbers.total(catalogue.LOG_LINES_DROPPED),
    )


def workers(numbers: Numbers, now: float) -> list[ProcessPicture]:
    """All worker processes, of all generations: by slot, the newest first. *now* is monotonic seconds."""
    every = [each for each in _processes(numbers, now) if each.slot >= 0]
    return sorted(every, key=lambda each: (each.slot, -each.generation, each.pid))


def cpu_seconds(numbers: Numbers) -> dict[str, float]:
    """The processor time of each slot's workers, those that are gone too; of the slots of what serves."""
    workers = present(processes(numbers.board, numbers.columns))
    slots = workers[0].slots if workers else 0
    used = numbers.by(catalogue.WORKER_CPU, (), [str(slot) for slot in range(slots)])
    return {slot: milliseconds / catalogue.WORKER_CPU.unit for slot, milliseconds in used.items()}


def control(numbers: Numbers, now: float) -> ProcessPicture | None:
    """The control process at work; None: there is none. *now* is monotonic seconds."""
    return next((each for each in _processes(numbers, now) if each.slot < 0), None)


def _processes(numbers: Numbers, now: float) -> Iterator[ProcessPicture]:
    columns = [column for _labels, column in numbers.columns.each(catalogue.SESSIONS)]
    for process in processes(numbers.board, numbers.columns):
        row = numbers.board.row(process.row)
        slot = str(process.slot)
        yield ProcessPicture(
            process.slot,
            process.generation,
            process.pid,
            process.state,
            max(0.0, now - process.heartbeat),
            sum(row[column] for column in columns),
            numbers.own(process.row, catalogue.WORKER_CPU, slot) / catalogue.WORKER_CPU.unit,
            numbers.own_distribution(process.row, catalogue.WORKER_LOOP),
            process.serves,
        )
