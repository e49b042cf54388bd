"""How the cost of a datagram grows with UDP flows: 100 to 15,000 of them take turns, through two workers."""

from functools import partial

from bench.flows import POINTS, QUICK, Echo
from bench.growth import Point, growing
from bench.scenario import Against, Bar, Scenario
from bench.stage import Stage
from l4d.terms import Protocol


def _begin(stage: Stage) -> Point:
    echo = Echo(stage)
    return lambda candidate, flows: partial(echo.turn, candidate, flows)


SCENARIO = Scenario(
    name="growth-flows",
    title="UDP ping-pong, all flows in turn, two workers",
    unit="/s",
    operation="datagram and answer",
    protocol=Protocol.UDP,
    prepare=growing(POINTS, QUICK, _begin),
    bar=Bar(1.2, Against.ITSELF),
    places=("loopback",),
    grows="flows",
)
