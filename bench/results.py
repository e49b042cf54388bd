"""What came of a run, and the ratios, taken round by round.

Run -> outcomes: one scenario at one place -> series: one candidate at one point -> samples: one a round
"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.candidates import COMPILED, L4D
from bench.cost import Cost
from bench.scenario import Against, Bar, Better, Sample, Scenario


@dataclass(frozen=True, slots=True)
class Range:
    """The middle one of several figures, and how far they go."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(figures: Sequence[float]) -> "Range | None":
        return Range(statistics.median(figures), min(figures), max(figures)) if figures else None

    def inverse(self) -> "Range":
        return Range(1 / self.median, 1 / self.high, 1 / self.low)


@dataclass(frozen=True, slots=True)
class Series:
    candidate: str
    point: str
    samples: list[Sample | None]

    def middle(self, figure: Callable[[Sample], float]) -> float | None:
        """The median of a figure."""
        found = [figure(sample) for sample in self.samples if sample is not None]
        return statistics.median(found) if found else None


@dataclass(frozen=True, slots=True)
class Outcome:
    place: str
    name: str
    title: str
    unit: str
    operation: str
    better: Better
    bar: Bar | None
    grows: str
    series: list[Series]

    def find(self, candidate: str, point: str = "") -> Series | None:
        return next((each for each in self.series if (each.candidate, each.point) == (candidate, point)), None)

    def points(self) -> list[str]:
        return list(dict.fromkeys(each.point for each in self.series))

    def candidates(self) -> list[str]:
        return list(dict.fromkeys(each.candidate for each in self.series))


@dataclass(frozen=True, slots=True)
class Verdict:
    """l4d against the one that leaves it the worst ratio, and whether the bar is met."""

    other: str
    ratio: Range
    met: bool


@dataclass(slots=True)
class Run:
    machine: dict[str, Any]
    settings: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


def outcome(scenario: Scenario, place: str, series: list[Series]) -> Outcome:
    return Outcome(
        place,
        scenario.name,
        scenario.title,
        scenario.unit,
        scenario.operation,
        scenario.better,
        scenario.bar,
        scenario.grows,
        series,
    )


def value(sample: Sample) -> float:
    return sample.value


def proxy_cost(sample: Sample) -> float:
    """Seconds of the proxy's time for one operation."""
    return sample.proxy.total / sample.operations if sample.operations else 0.0


def whole_cost(sample: Sample) -> float:
    """Seconds of everybody's time for one operation."""
    return sample.whole.total / sample.operations if sample.operations else 0.0


def ratio(mine: Series | None, other: Series | None, figure: Callable[[Sample], float] = value) -> Range | None:
    """mine/other of every round in which there are both."""
    if mine is None or other is None:
        return None
    pairs = [(one, two) for one, two in zip(mine.samples, other.samples, strict=True) if one and two]
    return Range.of([figure(one) / figure(two) for one, two in pairs if figure(two)])


def verdict(outcome: Outcome, mine: str = L4D) -> Verdict | None:
    """*mine* against the bar; without a bar, against the best. None when there is nothing to hold it against."""
    against = outcome.bar.against if outcome.bar else Against.BEST
    if outcome.grows:
        points = outcome.points()
        grown = ratio(outcome.find(mine, points[-1]), outcome.find(mine, points[0]), proxy_cost)
        found = [(f"itself at {points[0]}", grown)] if len(points) > 1 else []
        lower = True
    else:
        others = [each for each in outcome.candidates() if _is_other(each, against)]
        found = [(each, ratio(outcome.find(mine), outcome.find(each))) for each in others]
        lower = outcome.better is Better.LOWER
    ratios = [(name, each) for name, each in found if each is not None]
    if not ratios:
        return None
    other, worst = (max if lower else min)(ratios, key=lambda pair: pair[1].median)
    limit = outcome.bar.limit if outcome.bar else 1.0
    return Verdict(other, worst, worst.median <= limit if lower else worst.median >= limit)


def _is_other(name: str, against: Against) -> bool:
    return name.startswith("nginx") or (against is Against.BEST and name == "HAProxy")


def ratios(outcome: Outcome) -> dict[str, Range]:
    """l4d/other for everybody there is, the direct path too."""
    others = [each for each in outcome.candidates() if each != L4D] if not outcome.grows else []
    found = {each: ratio(outcome.find(L4D), outcome.find(each)) for each in others}
    return {name: each for name, each in found.items() if each is not None}


# As a file.


def write(run: Run, path: Path) -> None:
    """JSON, with the ratios for those who only read."""
    document: dict[str, Any] = {"machine": run.machine, "settings": run.settings, "notes": run.notes}
    document["outcomes"] = [_written(each) for each in run.outcomes]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _written(outcome: Outcome) -> dict[str, Any]:
    held, compiled = verdict(outcome), verdict(outcome, COMPILED)
    bar = outcome.bar
    return asdict(outcome) | {
        "better": outcome.better.value,
        "bar": {"limit": bar.limit, "against": bar.against.value} if bar else None,
        "ratios": {name: asdict(each) for name, each in ratios(outcome).items()},
        "verdict": asdict(held) if held else None,
        "verdict_compiled": asdict(compiled) if compiled else None,
    }


def read(path: Path) -> Run:
    """What `write` has written."""
    document = json.loads(path.read_text("utf-8"))
    outcomes = [_read(each) for each in document["outcomes"]]
    return Run(document["machine"], document["settings"], document["notes"], outcomes)


def _read(each: dict[str, Any]) -> Outcome:
    bar = Bar(each["bar"]["limit"], Against(each["bar"]["against"])) if each["bar"] else None
    series = [Series(one["candidate"], one["point"], list(_samples(one["samples"]))) for one in each["series"]]
    texts: dict[str, str] = {name: each[name] for name in ("place", "name", "title", "unit", "operation", "grows")}
    return Outcome(**texts, better=Better(each["better"]), bar=bar, series=series)


def _samples(written: Iterable[dict[str, Any] | None]) -> Iterable[Sample | None]:
    for each in written:
        yield Sample(**{**each, "proxy": Cost(**each["proxy"]), "whole": Cost(**each["whole"])}) if each else None
