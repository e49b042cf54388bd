"""Bulk, both directions at once: a TCP stream each way, added up."""

from bench import iperf
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="bulk-both",
    title="bulk, both directions at once",
    unit="Gbit/s",
    operation="GB",
    protocol=Protocol.TCP,
    prepare=iperf.scenario("--bidir"),
    bar=Bar(1.00, Against.BEST),
    needs=iperf.NEEDS,
)
