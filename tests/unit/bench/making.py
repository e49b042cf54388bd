"""Results of a benchmark, as the tests of its arithmetic want them."""

from bench.cost import Cost
from bench.results import Outcome, Run, Series
from bench.scenario import Bar, Better, Sample


def sample(value: float, cost: float = 0.0) -> Sample:
    """*cost*: seconds of the proxy for one operation."""
    return Sample(value, 10.0, 1.0, Cost(cost * 4, cost * 6), Cost(1.0, 1.0))


def series(candidate: str, *values: float | None, point: str = "", cost: float = 0.0) -> Series:
    return Series(candidate, point, [None if value is None else sample(value, cost) for value in values])


def outcome(
    *found: Series, bar: Bar | None = None, better: Better = Better.HIGHER, grows: str = "", place: str = "loopback"
) -> Outcome:
    return Outcome(place, "work", "some work", "/s", "request", better, bar, grows, list(found))


def run(*outcomes: Outcome) -> Run:
    machine = {"commit": "0" * 40, "python": "3.11.2", "kernel": "Linux 6.1.0 x86_64", "cpus": 2, "cpu": "some CPU"}
    return Run(machine, {"rounds": 3, "seconds": 1.0}, ["haproxy is not installed"], list(outcomes))
