"""Connect, request, answer, close: 32 TCP clients that each begin anew."""

from bench import web
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="connections",
    title="connect, request, answer, close",
    unit="/s",
    operation="connection",
    protocol=Protocol.TCP,
    prepare=web.prepare,
    bar=Bar(0.90, Against.BEST),
    needs=web.NEEDS,
)
