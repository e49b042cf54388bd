"""Every number that is kept, declared once."""

import re

import pytest

from l4d.stats import catalogue
from l4d.stats.catalogue import Kind, Metric

METRICS = [value for value in vars(catalogue).values() if isinstance(value, Metric)]

OF_SERVERS = (*catalogue.SERVER_METRICS, *catalogue.STANDING_METRICS, *catalogue.SEAT_METRICS, catalogue.SEATS_TAKEN)


def test_no_name_is_declared_twice() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS) > 0


def test_every_metric_has_exactly_one_who_counts_it() -> None:
    counted = (
        *catalogue.PROCESS_METRICS,
        *catalogue.LISTENER_METRICS,
        *catalogue.UPSTREAM_METRICS,
        *OF_SERVERS,
    )
    assert sorted(metric.name for metric in counted) == sorted(metric.name for metric in METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_explained_in_a_sentence_and_named_as_prometheus_wants(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z].*\.", metric.help)
    assert re.fullmatch(r"[a-z_]+", metric.name)
    assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)


def test_labels_say_whose_the_number_is() -> None:
    assert catalogue.HEARTBEAT.labels == ()
    assert all(metric.labels[0] == "listener" for metric in catalogue.LISTENER_METRICS)
    assert all(metric.labels == ("upstream",) for metric in catalogue.UPSTREAM_METRICS)
    assert all(metric.labels[:2] == ("upstream", "server") for metric in OF_SERVERS)
