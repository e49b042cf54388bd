"""Every scenario there is, in the order they are run and shown."""

from bench.scenario import Scenario
from bench.scenarios import (
    bulk_both,
    bulk_eight,
    bulk_one,
    connections,
    growth_flows,
    growth_listeners,
    growth_servers,
    growth_sessions,
    growth_workers,
    latency,
    memory,
    new_flows,
    pingpong_1k,
    pingpong_64,
    udp_bulk,
    udp_offload,
    udp_pingpong,
)

ALL: tuple[Scenario, ...] = tuple(
    module.SCENARIO
    for module in (
        bulk_one,
        bulk_eight,
        bulk_both,
        pingpong_64,
        pingpong_1k,
        connections,
        udp_pingpong,
        udp_bulk,
        udp_offload,
        latency,
        memory,
        growth_sessions,
        growth_flows,
        new_flows,
        growth_servers,
        growth_listeners,
        growth_workers,
    )
)
