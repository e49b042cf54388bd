"""Numbers, times and foreign words."""

import pytest

from l4d.cli.commands import text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("pg/two", "pg/two"),
        ("größer ✓", "größer ✓"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x9b31m", "\\x9b31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_an_escape(given: str, shown: str) -> None:
    assert text.clean(given) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (99_999, "99999"), (123_456, "123k"), (1_234_567, "1.2M"), (99_950_000, "100M"), (2e9, "2.0G")],
)
def test_a_count_is_short(number: float, shown: str) -> None:
    assert text.count(number) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (1023, "1023"), (1024, "1.0k"), (10 * 1024, "10k"), (1023.9 * 1024, "1.0M"), (5 * 1024**5, "5.0P")],
)
def test_a_size_is_short(number: float, shown: str) -> None:
    assert text.size(number) == shown


@pytest.mark.parametrize(("number", "shown"), [(0, "0"), (0.5, "0.5"), (12.3, "12"), (200_000, "200k")])
def test_a_rate_is_short(number: float, shown: str) -> None:
    assert text.rate(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0.0s"),
        (0.26, "0.3s"),
        (9.96, "10s"),
        (59.6, "1m00s"),
        (303, "5m03s"),
        (3600, "1h00m"),
        (11_530, "3h12m"),
        (187_200, "2d04h"),
    ],
)
def test_an_age_is_short(seconds: float, shown: str) -> None:
    assert text.age(seconds) == shown


@pytest.mark.parametrize(("number", "shown"), [(None, "-"), (0.25, "0.2ms"), (12.4, "12ms"), (1200, "1.2s")])
def test_milliseconds_are_short(number: float | None, shown: str) -> None:
    assert text.milliseconds(number) == shown


def test_the_time_between_two_stamps() -> None:
    assert text.seconds_since("2026-11-25T12:00:00.500Z", "2026-11-25T12:01:00.000Z") == 59.5
    assert text.seconds_since("2026-11-25T12:00:00", "2026-11-25T12:00:01Z") == 1
    assert text.seconds_since("", "2026-11-25T12:00:01Z") is None
    assert text.seconds_since("2026-11-25T12:00:01Z", "soon") is None


def test_a_clock_shows_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert text.clock("2026-11-25T12:34:56.789+00:00")[3:] == "34:56"
    assert text.clock(None) == ""


def test_one_is_not_many() -> None:
    assert [text.plural(number, "session") for number in (0, 1, 2)] == ["0 sessions", "1 session", "2 sessions"]
