"""A histogram as one process counts it."""

import pytest

from l4d.stats import catalogue
from l4d.stats.histogram import Histogram
from l4d.stats.numbers import Numbers
from tests.unit.making import Row


def observed(*seconds: float) -> Row:
    row = Row()
    histogram = Histogram(row.row, row.columns, catalogue.CONNECT, "db", "one")
    for each in seconds:
        histogram.observe(each)
    return row


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, "0.0005"), (0.0005, "0.0005"), (0.00051, "0.001"), (5.0, "5"), (5.1, "+Inf"), (1e9, "+Inf")],
)
def test_a_value_is_counted_in_the_bucket_with_the_first_bound_that_is_not_less(seconds: float, bucket: str) -> None:
    row = observed(seconds)
    counts = {each: row.row[row.columns.of(catalogue.CONNECT, "db", "one", each)] for each in catalogue.CONNECT.buckets}
    assert {each for each, count in counts.items() if count} == {bucket}


def test_values_are_summed_in_microseconds_to_the_nearest() -> None:
    row = observed(0.0000014, 0.0000016, 2.0)
    assert row.row[row.columns.of(catalogue.CONNECT, "db", "one", "sum")] == 2_000_003
    assert Numbers(row.board, row.columns).distribution(catalogue.CONNECT, "db", "one").total == 2.000003


def test_what_begins_in_the_future_took_no_time() -> None:
    row = observed(-0.25)
    found = Numbers(row.board, row.columns).distribution(catalogue.CONNECT, "db", "one")
    assert (found.count, found.total, found.counts[0]) == (1, 0, 1)
