"""Bulk, eight TCP streams from client to server."""

from bench import iperf
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="bulk-8",
    title="bulk, eight TCP streams",
    unit="Gbit/s",
    operation="GB",
    protocol=Protocol.TCP,
    prepare=iperf.scenario("-P", "8"),
    bar=Bar(1.00, Against.BEST),
    needs=iperf.NEEDS,
)
