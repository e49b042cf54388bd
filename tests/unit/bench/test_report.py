"""The tables on the terminal."""

from bench.report import duration, quantity, text
from bench.scenario import Against, Bar
from tests.unit.bench.making import outcome, run, series


def test_a_bar_that_is_not_met_is_said() -> None:
    bar = Bar(1.1, Against.BEST)
    table = text(run(outcome(series("l4d", 900, 1000), series("nginx 16k", 1000, 1000), bar=bar)))
    assert "0.95 [0.90 - 1.00]  at least 1.1  NOT met" in table


def test_a_candidate_that_is_missing_has_an_empty_column_and_a_note() -> None:
    table = text(run(outcome(series("l4d", 900), series("direct", 1000))))
    assert "haproxy is not installed" in table
    assert "met" not in table


def test_what_compiling_brings_has_a_table_of_its_own_where_it_was_measured() -> None:
    bar = Bar(1.1, Against.BEST)
    plain, compiled, other = series("l4d", 900), series("l4d compiled", 1200), series("nginx 16k", 1000)
    assert "1.20 [1.20 - 1.20]  at least 1.1  met" in text(run(outcome(plain, compiled, other, bar=bar)))
    assert "compiled" not in text(run(outcome(plain, other, bar=bar)))


def test_growth_is_shown_as_against_the_first_point() -> None:
    points = [series("l4d", 50, point=point, cost=cost) for point, cost in (("1", 1e-6), ("1000", 3e-6))]
    table = text(run(outcome(*points, grows="servers", bar=Bar(1.2, Against.ITSELF))))
    assert "3.00 [3.00 - 3.00], bar: at most 1.2, NOT met" in table


def test_figures_have_three_digits_and_a_fitting_unit() -> None:
    assert [quantity(figure) for figure in (None, 1.2345, 12345.6)] == ["", "1.23", "12,346"]
    assert [duration(seconds) for seconds in (None, 2.5, 0.0125, 3e-6, 4e-7)] == ["", "2.5s", "12.5ms", "3us", "400ns"]
