"""How the cost of a new UDP flow grows with those there are: 100 to 15,000, through two workers."""

from functools import partial

from bench.flows import POINTS, QUICK, Echo
from bench.growth import Point, growing
from bench.scenario import Against, Bar, Scenario
from bench.stage import Stage
from l4d.terms import Protocol


def _begin(stage: Stage) -> Point:
    echo = Echo(stage)
    return lambda candidate, flows: partial(echo.begin, candidate, flows)


SCENARIO = Scenario(
    name="new-flows",
    title="500 new UDP flows beside those there are, two workers",
    unit="/s",
    operation="new flow",
    protocol=Protocol.UDP,
    prepare=growing((POINTS[0], POINTS[-1]), QUICK, _begin),
    bar=Bar(1.2, Against.ITSELF),
    places=("loopback",),
    grows="flows",
)
