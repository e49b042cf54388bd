"""How cost grows: the same work at several points, every candidate at each of them in every round.

What counts is the proxy's own time on the CPU for one operation, at a point as against the first; the rate is shown
beside it. The direct path has no such cost, and of l4d and of nginx one kind is enough here.
"""

from collections.abc import Callable, Sequence

from bench.candidates import COMPILED, DIRECT, Candidate
from bench.scenario import Contender, Prepare, Sample, contenders
from bench.stage import Stage

Point = Callable[[Candidate, int], Callable[[], Sample]]
"""Prepare a candidate for a point: what measures it there."""


def growing(points: Sequence[int], quick: Sequence[int], begin: Callable[[Stage], Point]) -> Prepare:
    """At *points*, or at the *quick* ones."""

    def prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
        point = begin(stage)
        growing = [candidate for candidate in candidates if candidate.name not in {DIRECT, COMPILED, "nginx 256k"}]
        made: list[Contender] = []
        for number in quick if stage.settings.quick else points:

            def contender(candidate: Candidate, number: int = number) -> Contender:
                return Contender(candidate.name, point(candidate, number), f"{number}")

            made += contenders(stage, growing, contender)
        return made

    return prepare
