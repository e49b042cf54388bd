"""One worker and two: ping-pong of 64 bytes over 64 connections. Two workers want more than two CPUs to show it."""

from collections.abc import Callable

from bench import redis
from bench.candidates import Candidate
from bench.growth import Point, growing
from bench.redis import Redis
from bench.scenario import Sample, Scenario
from bench.stage import Stage
from l4d.terms import Protocol

_SIZE = 64
_CONNECTIONS = 64


def _begin(stage: Stage) -> Point:
    origin = Redis(stage)

    def point(candidate: Candidate, workers: int) -> Callable[[], Sample]:
        target = candidate.start(stage, Protocol.TCP, [origin.address], workers)
        return lambda: redis.ping_pong(origin, target, stage, _SIZE, _CONNECTIONS)

    return point


SCENARIO = Scenario(
    name="growth-workers",
    title="ping-pong, 64 B, 64 connections",
    unit="/s",
    operation="request",
    protocol=Protocol.TCP,
    prepare=growing((1, 2), (1, 2), _begin),
    needs=redis.NEEDS,
    places=("loopback",),
    grows="workers",
)
