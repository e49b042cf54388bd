"""UDP in bulk, one flow, forty datagrams a system call of the sender, as QUIC and WireGuard do."""

from bench import udp
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="udp-offload",
    title="UDP bulk, segmentation offload",
    unit="/s",
    operation="datagram",
    protocol=Protocol.UDP,
    prepare=udp.scenario(segments=40),
    bar=Bar(5.0, Against.NGINX),
)
