"""p99 latency at half the load: 64 bytes over 32 TCP connections, at half the rate the slowest candidate can do.

What each can do is measured just before, by redis-benchmark; then all of them get the same fixed rate.
"""

import json
import time
from collections.abc import Sequence

from bench import redis
from bench.candidates import Candidate, Target
from bench.cost import between, spent
from bench.places import Where
from bench.programs import ours
from bench.redis import CONNECTIONS, Redis
from bench.scenario import Against, Bar, Better, Contender, Sample, Scenario, contenders
from bench.stage import Stage
from l4d.terms import Protocol

_SIZE = 64
_PATIENCE = 20.0


def _at_rate(target: Target, stage: Stage, rate: float) -> Sample:
    pids = target.pids()
    seconds = stage.settings.seconds + stage.settings.warm_up
    line = ours("load_paced", target.host, target.port, CONNECTIONS, _SIZE, round(rate), seconds)
    before, since = spent(pids), time.perf_counter()
    with stage.start(Where.CLIENT, line) as load:
        said: dict[str, float] = json.loads(load.finish(seconds + _PATIENCE))
    proxy, whole = between(before, spent(pids))
    more = {name: value * 1e6 for name, value in said.items() if name not in {"rate", "answers"}}
    more |= {"asked_rate": rate, "reached_rate": said["rate"]}
    return Sample(said["p99"] * 1e6, said["answers"], time.perf_counter() - since, proxy, whole, more)


def _prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
    origin = Redis(stage)
    most: list[float] = []

    def contender(candidate: Candidate) -> Contender:
        target = candidate.start(stage, Protocol.TCP, [origin.address])
        most.append(redis.ping_pong(origin, target, stage, _SIZE, CONNECTIONS).value)
        return Contender(candidate.name, lambda: _at_rate(target, stage, min(most) / 2))

    made = contenders(stage, candidates, contender)
    stage.say(f"  half the load: {min(most, default=0) / 2:,.0f} requests a second")
    return made


SCENARIO = Scenario(
    name="latency",
    title="p99 latency at half the load",
    unit="us",
    operation="request",
    protocol=Protocol.TCP,
    prepare=_prepare,
    better=Better.LOWER,
    bar=Bar(1.1, Against.BEST),
    needs=redis.NEEDS,
)
