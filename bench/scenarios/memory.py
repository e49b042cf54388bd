"""Memory per idle TCP session, proxy and kernel together.

A fresh proxy each time: looked at when it is idle, and again when it holds sessions that have asked and been answered
once. The kernel's part holds the sockets of client and server too; what those alone need is measured on the direct
path first and taken off, as well as the direct path can tell (it is the middle one of three).
"""

import statistics
import time
from collections.abc import Sequence

from bench import memory, redis
from bench.candidates import DIRECT, Candidate, Target
from bench.configs import descriptors
from bench.cost import Cost
from bench.places import Where
from bench.programs import ours
from bench.redis import Redis
from bench.scenario import Against, Bar, Better, Contender, Sample, Scenario
from bench.stage import Stage
from l4d.terms import Protocol

_SESSIONS = 4000
_QUICK = 1000
_SIZE = 1024
_SETTLED = 0.6  # seconds in which the kernel gives back what it frees late


def _held(target: Target, stage: Stage, sessions: int) -> tuple[float, float]:
    """Bytes a session: of the proxy's processes, of the kernel."""
    line = ours("load_idle", target.host, target.port, sessions, _SIZE)
    time.sleep(_SETTLED)
    mine, kernel = memory.of_processes(target.pids()), memory.of_kernel()
    with stage.start(Where.CLIENT, line) as load:
        load.wait_until(f"{sessions} sessions are held", lambda: "held" in load.output())
        time.sleep(_SETTLED)
        mine, kernel = memory.of_processes(target.pids()) - mine, memory.of_kernel() - kernel
    return mine / sessions, kernel / sessions


def _prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
    sessions = min(_QUICK if stage.settings.quick else _SESSIONS, (descriptors() - 200) // 2)
    origin = Redis(stage)
    ends = Target(stage.host(Where.SERVER), origin.port)
    _held(ends, stage, sessions)  # what the kernel and redis keep for ever after the first time
    of_ends = statistics.median(_held(ends, stage, sessions)[1] for _ in range(3))

    def measure(candidate: Candidate) -> Sample:
        since = time.perf_counter()
        process, target = candidate.launch(stage, Protocol.TCP, [origin.address])
        assert process is not None
        with process:
            mine, kernel = _held(target, stage, sessions)
        more = {"proxy_bytes": mine, "kernel_bytes": kernel - of_ends, "ends_bytes": of_ends}
        nothing = Cost()
        return Sample(mine + kernel - of_ends, sessions, time.perf_counter() - since, nothing, nothing, more)

    def contender(candidate: Candidate) -> Contender:
        return Contender(candidate.name, lambda: measure(candidate))

    return [contender(candidate) for candidate in candidates if candidate.name != DIRECT]


SCENARIO = Scenario(
    name="memory",
    title="memory per idle TCP session",
    unit="B",
    operation="",
    protocol=Protocol.TCP,
    prepare=_prepare,
    better=Better.LOWER,
    bar=Bar(1.0, Against.NGINX),
    needs=redis.NEEDS,
    places=("loopback",),
    most_rounds=3,
)
