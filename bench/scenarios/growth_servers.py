"""How cost grows with servers: connect, request, answer, close, with 1 to 1,000 servers to choose from in turn."""

from collections.abc import Callable

from bench import web
from bench.candidates import Candidate
from bench.growth import Point, growing
from bench.scenario import Sample, Scenario
from bench.stage import Stage
from bench.web import Web
from l4d.terms import Protocol

_POINTS = (1, 10, 100, 1000)


def _begin(stage: Stage) -> Point:
    origin = Web(stage, addresses=_POINTS[-1])

    def point(candidate: Candidate, servers: int) -> Callable[[], Sample]:
        target = candidate.start(stage, Protocol.TCP, origin.addresses[:servers])
        return lambda: web.connect_and_close(origin, target, stage)

    return point


SCENARIO = Scenario(
    name="growth-servers",
    title="connect, request, answer, close",
    unit="/s",
    operation="connection",
    protocol=Protocol.TCP,
    prepare=growing(_POINTS, (_POINTS[0], _POINTS[-1]), _begin),
    needs=web.NEEDS,
    places=("loopback",),
    grows="servers",
)
