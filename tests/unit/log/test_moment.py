"""Moments as people read them."""

from l4d.log.moment import rfc_3339


def test_times_are_written_with_milliseconds() -> None:
    assert rfc_3339(0) == "1970-01-01T00:00:00.000Z"
