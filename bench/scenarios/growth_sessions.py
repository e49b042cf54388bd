"""How cost grows with TCP sessions: ping-pong of 64 bytes over 10 to 8,000 connections."""

from collections.abc import Callable

from bench import redis
from bench.candidates import Candidate, Target
from bench.configs import descriptors
from bench.growth import Point, growing
from bench.programs import BenchError
from bench.redis import Redis
from bench.scenario import Sample, Scenario
from bench.stage import Stage
from l4d.terms import Protocol

_SIZE = 64
_SPARE = 400


def _begin(stage: Stage) -> Point:
    origin = Redis(stage)
    targets: dict[str, Target] = {}

    def point(candidate: Candidate, sessions: int) -> Callable[[], Sample]:
        if candidate.name not in targets:
            targets[candidate.name] = candidate.start(stage, Protocol.TCP, [origin.address])
        return lambda: measure(targets[candidate.name], sessions)

    def measure(target: Target, sessions: int) -> Sample:
        if 2 * sessions > descriptors() - _SPARE:
            raise BenchError(f"{sessions} sessions need more descriptors than {descriptors()}")
        return redis.ping_pong(origin, target, stage, _SIZE, sessions)

    return point


SCENARIO = Scenario(
    name="growth-sessions",
    title="ping-pong, 64 B",
    unit="/s",
    operation="request",
    protocol=Protocol.TCP,
    prepare=growing((10, 100, 1000, 8000), (10, 1000), _begin),
    needs=redis.NEEDS,
    places=("loopback",),
    grows="sessions",
)
