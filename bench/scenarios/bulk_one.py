"""Bulk, one TCP stream from client to server."""

from bench import iperf
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="bulk-1",
    title="bulk, one TCP stream",
    unit="Gbit/s",
    operation="GB",
    protocol=Protocol.TCP,
    prepare=iperf.scenario(),
    bar=Bar(1.10, Against.BEST),
    needs=iperf.NEEDS,
)
