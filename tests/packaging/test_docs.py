"""docs/metrics.md says what the catalogue says, and docs/ends.md has every end."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from l4d.stats import catalogue
from l4d.stats.catalogue import Kind, Metric
from l4d.terms import End, Protocol, ServerState, WorkerState

DOCS = Path(__file__).parents[2] / "docs"
DOC = (DOCS / "metrics.md").read_text("utf-8")

REFUSED, DROPPED, FAILED = (
    (metric, "reason") for metric in (catalogue.REFUSED, catalogue.DATAGRAMS_DROPPED, catalogue.SERVER_FAILURES)
)

VALUES: dict[tuple[Metric, str], Sequence[str]] = {
    REFUSED: catalogue.REFUSAL_REASONS,
    DROPPED: catalogue.DROP_REASONS,
    FAILED: catalogue.FAILURE_REASONS,
    (catalogue.SERVER_CHECKS, "result"): catalogue.CHECK_RESULTS,
    (catalogue.RESOLVER_QUERIES, "result"): catalogue.QUERY_RESULTS,
    (catalogue.RELOADS, "result"): catalogue.RELOAD_RESULTS,
    (catalogue.RESTARTS, "role"): catalogue.ROLES,
    (catalogue.BYTES, "direction"): catalogue.DIRECTIONS,
    (catalogue.HANDED_OVER, "protocol"): [each.value for each in Protocol],
    (catalogue.WORKERS, "state"): [each.value for each in WorkerState],
    (catalogue.SERVER_STATE, "state"): [each.value for each in ServerState],
}


def metrics_table() -> Iterator[str]:
    for metric in catalogue.SHOWN:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        kind = "gauge" if metric.kind is Kind.COMPUTED else metric.kind.value
        yield f"| `l4d_{metric.name}` | {kind} | {labels} | {metric.help} |"


def values_table() -> Iterator[str]:
    for (metric, label), values in VALUES.items():
        yield f"| `l4d_{metric.name}` | `{label}` | {', '.join(f'`{value}`' for value in values)} |"


def ends_table() -> Iterator[str]:
    for end in End:
        yield f"| `{end.value}` | {end.words} |"


def check(table: Iterator[str]) -> None:
    """That the document has these lines, one after the other."""
    wanted = "\n".join(table)
    assert f"\n{wanted}\n" in DOC, f"docs/metrics.md is to have:\n{wanted}"


def test_every_metric_is_explained_as_the_catalogue_does() -> None:
    check(metrics_table())


def test_the_values_of_labels_are_those_that_are_counted() -> None:
    check(values_table())


def test_every_end_is_explained() -> None:
    check(ends_table())


def test_the_buckets_are_those_that_are_counted() -> None:
    for metric in catalogue.SHOWN:
        if metric.kind is Kind.HISTOGRAM:
            assert f"* `l4d_{metric.name}`: {', '.join(metric.buckets[:-1])}" in " ".join(DOC.split())


def test_no_choice_is_forgotten() -> None:
    """Labels that have few values have them in the document; those of names, slots and numbers have none."""
    free = {"listener", "upstream", "server", "slot", "version", "generation", "end"}
    told = {label for _metric, label in VALUES}
    assert {label for metric in catalogue.SHOWN for label in metric.labels} == free | told


def test_every_end_is_explained_by_the_words_that_are_told() -> None:
    rows = [line.split(" | ") for line in (DOCS / "ends.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    assert [(row[0], row[1]) for row in rows] == [(f"| `{end.value}`", end.words) for end in End]
    assert all(len(row) == 4 for row in rows)
