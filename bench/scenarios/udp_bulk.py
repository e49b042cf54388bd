"""UDP in bulk, one flow, one datagram a system call of the sender."""

from bench import udp
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="udp-bulk",
    title="UDP bulk, plain sender",
    unit="/s",
    operation="datagram",
    protocol=Protocol.UDP,
    prepare=udp.scenario(segments=1),
    bar=Bar(1.00, Against.NGINX),
)
