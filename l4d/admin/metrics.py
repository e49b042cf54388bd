"""The text of /metrics: every metric of the catalogue, with its sentence, in Prometheus's text format.

Names and label values are escaped by prometheus_client, which is imported with this file, before control gives up its
rights: later it might not be found. OpenMetrics is not spoken: there `sessions_total` and `sessions` would be one name.

Which series there are. For each listener, upstream and server of the file that serves, all of them, also those that
are 0: a rate begins with the first one that is counted. Ends: those that the listener's protocol knows. Of a server
given by name, one series for each address that has or had a place; of a place that is empty only its counts; of a
name without any address only that it is not up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family

from l4d import __version__
from l4d.config.model import Config
from l4d.stats import catalogue, picture, picture_servers
from l4d.stats.catalogue import Kind, Metric
from l4d.stats.distribution import Distribution
from l4d.stats.numbers import Numbers
from l4d.stats.picture import ListenerPicture, ProcessPicture, Totals
from l4d.stats.picture_servers import ServerPicture, UpstreamPicture
from l4d.terms import Protocol, ServerState, WorkerState

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

PREFIX: Final = "l4d_"

Series: TypeAlias = Iterator[tuple[tuple[str, ...], float | Distribution]]
"""The label values of each series, and its value."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is told at one moment."""

    listeners: list[ListenerPicture]
    upstreams: list[UpstreamPicture]
    workers: list[ProcessPicture]
    totals: Totals
    turns: Distribution
    cpu: dict[str, float]  # seconds, by slot
    resident: dict[str, int]  # bytes, by slot


def look(
    numbers: Numbers, config: Config, control_row: int, now: float, resident: Callable[[int], int] = lambda _pid: 0
) -> Scene:
    """What there is to tell *now*, monotonic seconds; *resident* gives the memory of a process, 0 if it is gone."""
    workers = picture.workers(numbers, now)
    memory: dict[str, int] = {}
    for worker in workers:
        memory[str(worker.slot)] = memory.get(str(worker.slot), 0) + resident(worker.pid)
    return Scene(
        picture.listeners(numbers, config),
        picture_servers.upstreams(numbers, config, control_row, now),
        workers,
        picture.totals(numbers, config),
        numbers.distribution(catalogue.WORKER_LOOP),
        picture.cpu_seconds(numbers),
        memory,
    )


def text(scene: Scene) -> bytes:
    """The whole text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(scene))
    return generate_latest(registry)


class _Collector:
    """What prometheus_client asks for families."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def collect(self) -> Iterator[Family]:
        return (_family(metric, _SERIES[metric](self._scene)) for metric in catalogue.SHOWN)


def _family(metric: Metric, series: Series) -> Family:
    name = f"{PREFIX}{metric.name}"
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(name, metric.help, labels=metric.labels)
        for labels, value in series:
            assert isinstance(value, Distribution)
            counts = [count for _bound, count in value.cumulative()]
            histogram.add_metric(labels, list(zip(metric.buckets, counts, strict=True)), value.total)
        return histogram
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(name, metric.help, labels=metric.labels)
    for labels, value in series:
        assert not isinstance(value, Distribution)
        family.add_metric(labels, value)
    return family


# How the series of each metric are found


def _each(counts: Mapping[str, float], *labels: str) -> Series:
    for last, count in counts.items():
        yield (*labels, last), count


def _one(value: Callable[[Scene], float | Distribution]) -> Callable[[Scene], Series]:
    """Of a metric without labels."""
    return lambda scene: iter([((), value(scene))])


def _listeners(value: Callable[[ListenerPicture], float | Distribution]) -> Callable[[Scene], Series]:
    return lambda scene: (((one.listener.name,), value(one)) for one in scene.listeners)


def _listeners_by(counts: Callable[[ListenerPicture], Mapping[str, float]]) -> Callable[[Scene], Series]:
    return lambda scene: (found for one in scene.listeners for found in _each(counts(one), one.listener.name))


def _servers(
    value: Callable[[ServerPicture], float | Distribution],
    whose: Callable[[UpstreamPicture], Iterable[ServerPicture]],
) -> Callable[[Scene], Series]:
    return lambda scene: (
        ((one.upstream.name, server.name), value(server)) for one in scene.upstreams for server in whose(one)
    )


def _servers_by(
    counts: Callable[[ServerPicture], Mapping[str, float]],
    whose: Callable[[UpstreamPicture], Iterable[ServerPicture]],
) -> Callable[[Scene], Series]:
    return lambda scene: (
        found
        for one in scene.upstreams
        for server in whose(one)
        for found in _each(counts(server), one.upstream.name, server.name)
    )


def _judged(one: UpstreamPicture) -> Iterable[ServerPicture]:
    """Of which it is told how they are."""
    return (*one.servers, *one.nowhere)


def _counted(one: UpstreamPicture) -> Iterable[ServerPicture]:
    """For which something was counted."""
    return (*one.servers, *one.vacant)


def _info(scene: Scene) -> Series:
    yield (__version__, str(scene.totals.generation)), 1


def _workers(scene: Scene) -> Series:
    for state in WorkerState:
        yield (state.value,), sum(worker.state is state for worker in scene.workers)


def _ways(up: float, down: float) -> Mapping[str, float]:
    return dict(zip(catalogue.DIRECTIONS, (up, down), strict=True))


_SERIES: Final[Mapping[Metric, Callable[[Scene], Series]]] = {
    catalogue.INFO: _info,
    catalogue.WORKERS: _workers,
    catalogue.SESSIONS_TOTAL: _listeners(lambda one: one.sessions_total),
    catalogue.SESSIONS: _listeners(lambda one: one.sessions),
    catalogue.SESSION_ENDS: _listeners_by(lambda one: {end.value: count for end, count in one.ends.items()}),
    catalogue.BYTES: _listeners_by(lambda one: _ways(one.bytes_up, one.bytes_down)),
    catalogue.DATAGRAMS: lambda scene: (
        found
        for one in scene.listeners
        if one.listener.protocol is Protocol.UDP
        for found in _each(_ways(one.datagrams_up, one.datagrams_down), one.listener.name)
    ),
    catalogue.DATAGRAMS_DROPPED: lambda scene: (
        found
        for one in scene.listeners
        if one.listener.protocol is Protocol.UDP
        for found in _each(one.dropped, one.listener.name)
    ),
    catalogue.REFUSED: _listeners_by(lambda one: one.refused),
    catalogue.SESSION_DURATION: _listeners(lambda one: one.duration),
    catalogue.CONNECT: _servers(lambda server: server.connect, _counted),
    catalogue.SERVER_UP: _servers(lambda server: int(server.up), _judged),
    catalogue.SERVER_STATE: _servers_by(
        lambda server: {state.value: int(server.state is state) for state in ServerState}, _judged
    ),
    catalogue.SERVER_WEIGHT: _servers(lambda server: server.weight, _judged),
    catalogue.SERVER_SESSIONS: _servers(lambda server: server.sessions, _counted),
    catalogue.SERVER_SESSIONS_TOTAL: _servers(lambda server: server.sessions_total, _counted),
    catalogue.SERVER_BYTES: _servers_by(lambda server: _ways(server.bytes_up, server.bytes_down), _counted),
    catalogue.SERVER_FAILURES: _servers_by(lambda server: server.failures, _counted),
    catalogue.SERVER_CHECKS: _servers_by(lambda server: server.checks, _counted),
    catalogue.RELOADS: lambda scene: _each(scene.totals.reloads),
    catalogue.LAST_RELOAD: _one(lambda scene: scene.totals.last_reload),
    catalogue.HANDED_OVER: lambda scene: _each(scene.totals.handed_over),
    catalogue.WORKER_CPU: lambda scene: _each(scene.cpu),
    catalogue.WORKER_RESIDENT: lambda scene: _each(scene.resident),
    catalogue.WORKER_LOOP: _one(lambda scene: scene.turns),
    catalogue.QUEUE_SESSIONS: lambda scene: (((one.upstream.name,), one.queued) for one in scene.upstreams),
    catalogue.RESOLVER_QUERIES: lambda scene: _each(scene.totals.queries),
    catalogue.LOG_LINES_DROPPED: _one(lambda scene: scene.totals.log_lines_dropped),
    catalogue.RESTARTS: lambda scene: _each(scene.totals.restarts),
}
