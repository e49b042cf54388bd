"""How cost grows with listeners: connect, request, answer, close at the last of 1 to 500 of them."""

import time
from collections.abc import Callable
from dataclasses import replace

from bench import memory, web
from bench.candidates import Candidate
from bench.growth import Point, growing
from bench.scenario import Sample, Scenario
from bench.stage import Stage
from bench.web import Web
from l4d.terms import Protocol


def _begin(stage: Stage) -> Point:
    origin = Web(stage)

    def point(candidate: Candidate, listeners: int) -> Callable[[], Sample]:
        since = time.perf_counter()
        target = candidate.start(stage, Protocol.TCP, origin.addresses, ports=listeners)
        start = {"start_seconds": time.perf_counter() - since, "proxy_bytes": memory.of_processes(target.pids())}

        def measure() -> Sample:
            return replace(web.connect_and_close(origin, target, stage), more=dict(start))

        return measure

    return point


SCENARIO = Scenario(
    name="growth-listeners",
    title="connect, request, answer, close",
    unit="/s",
    operation="connection",
    protocol=Protocol.TCP,
    prepare=growing((1, 50, 500), (1, 100), _begin),
    needs=web.NEEDS,
    places=("loopback",),
    grows="listeners",
)
