"""Every number that is kept or told, declared once."""

import re

import pytest

from l4d.stats import catalogue
from l4d.stats.catalogue import Kind, Metric

METRICS = [value for value in vars(catalogue).values() if isinstance(value, Metric)]

KEPT = [metric for metric in METRICS if metric.kind is not Kind.COMPUTED]

OF_SERVERS = (*catalogue.SERVER_METRICS, *catalogue.STANDING_METRICS, *catalogue.SEAT_METRICS, catalogue.SEATS_TAKEN)

SPEC = """
    l4d_info{version,generation}                                  l4d_workers{state}
    l4d_sessions_total{listener}                                  l4d_sessions{listener}
    l4d_session_ends_total{listener,end}                          l4d_bytes_total{listener,direction}
    l4d_datagrams_total{listener,direction}                       l4d_refused_total{listener,reason}
    l4d_session_duration_seconds{listener} (histogram)            l4d_connect_seconds{upstream,server} (histogram)
    l4d_server_up{upstream,server}   l4d_server_state{upstream,server,state}   l4d_server_weight{upstream,server}
    l4d_server_sessions{upstream,server}  l4d_server_sessions_total{upstream,server}
    l4d_server_bytes_total{upstream,server,direction}
    l4d_server_failures_total{upstream,server,reason}             l4d_server_checks_total{upstream,server,result}
    l4d_reloads_total{result}   l4d_last_reload_timestamp_seconds  l4d_handed_over_total{protocol}
    l4d_worker_cpu_seconds_total{slot} l4d_worker_resident_bytes{slot} l4d_worker_loop_seconds (histogram of one turn)
    l4d_queue_sessions{upstream}  l4d_resolver_queries_total{result}
    l4d_datagrams_dropped_total{listener,reason}   l4d_log_lines_dropped_total   l4d_process_restarts_total{role}
"""
"""What was promised to operators: the names and labels are theirs, and do not change."""


def test_what_is_shown_is_what_was_promised() -> None:
    promised = {
        name: tuple(labels.split(",")) if labels else ()
        for name, labels in re.findall(r"l4d_(\w+)(?:\{([\w,]+)\})?", SPEC)
    }
    assert {metric.name: metric.labels for metric in catalogue.SHOWN} == promised
    histograms = {metric.name for metric in catalogue.SHOWN if metric.kind is Kind.HISTOGRAM}
    assert histograms == set(re.findall(r"l4d_(\w+)(?:\{[\w,]+\})? \(histogram", SPEC))


def test_no_name_is_declared_twice() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS) > 0


def test_everything_is_shown_once_or_private() -> None:
    shown = [metric for metric in METRICS if metric.kind is not Kind.PRIVATE]
    assert sorted(metric.name for metric in shown) == sorted(metric.name for metric in catalogue.SHOWN)


def test_every_metric_that_is_kept_has_exactly_one_who_counts_it() -> None:
    counted = (
        *catalogue.MASTER_METRICS,
        *catalogue.PROCESS_METRICS,
        *catalogue.LISTENER_METRICS,
        *catalogue.UPSTREAM_METRICS,
        *OF_SERVERS,
    )
    assert sorted(metric.name for metric in counted) == sorted(metric.name for metric in KEPT)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_explained_in_a_sentence_and_named_as_prometheus_wants(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z].*\.", metric.help)
    assert re.fullmatch(r"[a-z_]+", metric.name)
    assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)


def test_a_histogram_has_a_column_for_each_bucket_and_only_a_histogram_does() -> None:
    assert all(bool(metric.bounds) is (metric.kind is Kind.HISTOGRAM) for metric in METRICS)
    assert all(list(metric.bounds) == sorted(metric.bounds) for metric in METRICS)
    assert catalogue.WORKER_LOOP.column_labels == ("le",)
    assert catalogue.CONNECT.column_labels == ("upstream", "server", "le")
    assert catalogue.BYTES.column_labels == ("listener", "direction")
    assert (catalogue.CONNECT.buckets[0], catalogue.CONNECT.buckets[-2:]) == ("0.0005", ("5", "+Inf"))
    assert catalogue.SESSION_DURATION.buckets[-2] == "86400"
    assert catalogue.BYTES.buckets == ()
    assert catalogue.SLOW_TURN in catalogue.WORKER_LOOP.bounds


def test_labels_say_whose_the_number_is() -> None:
    assert catalogue.HEARTBEAT.labels == ()
    assert all(metric.labels[0] == "listener" for metric in catalogue.LISTENER_METRICS)
    assert all(metric.labels == ("upstream",) for metric in catalogue.UPSTREAM_METRICS)
    assert all(metric.labels[:2] == ("upstream", "server") for metric in OF_SERVERS)
