"""Which metrics and labels an expression of Prometheus's uses; enough of the language for those that we ship."""

import re
from collections.abc import Iterator

from l4d.stats import catalogue
from l4d.stats.catalogue import Kind, Metric

PREFIX = "l4d_"

OF_TARGETS = frozenset({"job", "instance"})
"""Labels that Prometheus adds."""


def series_names() -> dict[str, tuple[str, ...]]:
    """Every name that l4d tells, with its labels."""
    return {name: labels for metric in catalogue.SHOWN for name, labels in names_of(metric)}


def names_of(metric: Metric) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names by which a metric is told, with the labels of each."""
    if metric.kind is not Kind.HISTOGRAM:
        yield f"{PREFIX}{metric.name}", metric.labels
        return
    yield f"{PREFIX}{metric.name}_bucket", (*metric.labels, "le")
    for part in ("sum", "count"):
        yield f"{PREFIX}{metric.name}_{part}", metric.labels


def names(expression: str) -> set[str]:
    """The metrics of ours that it reads."""
    return set(re.findall(rf"\b{PREFIX}\w+", _without_texts(expression)))


def labels(expression: str) -> set[str]:
    """The labels that it matches, groups or joins by, those of targets left out."""
    bare = _without_texts(expression)
    matched = re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", bare)
    grouped = [
        name
        for group in re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", bare)
        for name in re.findall(r"\w+", group)
    ]
    return {*matched, *grouped} - OF_TARGETS


def problems(expression: str) -> list[str]:
    """What of it l4d does not tell: names, and labels that none of its names have."""
    known = series_names()
    strange = sorted(names(expression) - known.keys())
    had = {label for name in names(expression) & known.keys() for label in known[name]}
    return [*strange, *sorted(labels(expression) - had)] if names(expression) else []


def _without_texts(expression: str) -> str:
    return re.sub(r'"[^"]*"', '""', expression)
