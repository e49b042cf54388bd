"""What a scenario is: a kind of work, in which unit it is measured, and the bar it is held against."""

import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.candidates import Candidate, Target
from bench.cost import Cost, between, spent
from bench.programs import BenchError
from bench.stage import Stage
from l4d.terms import Protocol


class Better(enum.Enum):
    HIGHER = "higher"
    LOWER = "lower"


class Against(enum.Enum):
    BEST = "the best"  # of nginx and HAProxy in any of their settings
    NGINX = "nginx"
    ITSELF = "itself"  # l4d at the first point


@dataclass(frozen=True, slots=True)
class Bar:
    """The median of the ratios l4d/other: at least so much where higher is better, else at most."""

    limit: float
    against: Against


@dataclass(frozen=True, slots=True)
class Sample:
    """What one candidate did in one round."""

    value: float  # in the scenario's unit
    operations: float  # so many of the scenario's operations
    seconds: float
    proxy: Cost
    whole: Cost
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contender:
    """One candidate at one point (sessions, flows, servers ...; empty: there is but one), ready to be measured."""

    candidate: str
    measure: Callable[[], Sample]
    point: str = ""


Prepare = Callable[[Stage, Sequence[Candidate]], list[Contender]]
"""Start servers and candidates on the stage, and say who contends. May raise BenchError."""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    title: str
    unit: str
    operation: str  # what the cost is per
    protocol: Protocol
    prepare: Prepare
    better: Better = Better.HIGHER
    bar: Bar | None = None
    needs: Sequence[str] = ()  # outside programs
    places: Sequence[str] = ("loopback", "namespaces")
    most_rounds: int = 100  # more would tell nothing new
    grows: str = ""  # what the points count, where there are several


def contenders(
    stage: Stage, candidates: Sequence[Candidate], make: Callable[[Candidate], Contender]
) -> list[Contender]:
    """Every candidate made a contender; one that does not start is noted and left out."""
    made: list[Contender] = []
    for candidate in candidates:
        try:
            made.append(make(candidate))
        except BenchError as error:
            stage.note(f"{candidate.name}: {error}")
    return made


def steady(count: Callable[[], float], target: Target, stage: Stage) -> Sample:
    """Let the load run warm, then watch for a while how much *count* goes up and what that costs."""
    pids = target.pids()
    time.sleep(stage.settings.warm_up)
    before, first, since = spent(pids), count(), time.perf_counter()
    time.sleep(stage.settings.seconds)
    last, until, after = count(), time.perf_counter(), spent(pids)
    proxy, whole = between(before, after)
    return Sample((last - first) / (until - since), last - first, until - since, proxy, whole)
