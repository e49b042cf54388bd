"""The ratios of the benchmark, and its verdicts."""

from pathlib import Path

from bench.results import Range, ratio, read, verdict, write
from bench.scenario import Against, Bar, Better
from tests.unit.bench.making import outcome, run, series

BEST = Bar(0.95, Against.BEST)


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio(series("l4d", 10, 30, 20), series("nginx", 10, 10, 40)) == Range(1.0, 0.5, 3.0)


def test_a_round_in_which_one_of_the_two_failed_is_left_out() -> None:
    assert ratio(series("l4d", 10, None, 20), series("nginx", 10, 10, None)) == Range(1.0, 1.0, 1.0)
    assert ratio(series("l4d", None), series("nginx", 1)) is None


def test_the_bar_is_held_against_the_one_that_leaves_the_worst_ratio() -> None:
    found = outcome(series("l4d", 9), series("nginx 16k", 8), series("HAProxy", 10), series("direct", 90), bar=BEST)
    held = verdict(found)
    assert held is not None
    assert (held.other, held.met) == ("HAProxy", False)


def test_where_less_is_better_the_worst_ratio_is_the_highest() -> None:
    bar = Bar(1.1, Against.BEST)
    found = outcome(series("l4d", 10), series("nginx 16k", 20), series("HAProxy", 10), bar=bar, better=Better.LOWER)
    held = verdict(found)
    assert held is not None
    assert (held.other, held.ratio.median, held.met) == ("HAProxy", 1.0, True)


def test_a_bar_against_nginx_leaves_the_others_out() -> None:
    bar = Bar(1.0, Against.NGINX)
    held = verdict(outcome(series("l4d", 10), series("nginx 16k", 9), series("HAProxy", 20), bar=bar))
    assert held is not None
    assert (held.other, held.met) == ("nginx 16k", True)


def test_growth_is_held_against_ourselves_at_the_first_point() -> None:
    bar = Bar(1.2, Against.ITSELF)
    points = [series("l4d", 1, 1, point=point, cost=cost) for point, cost in (("100", 1.0), ("9", 5.0), ("15000", 1.5))]
    held = verdict(outcome(*points, bar=bar, grows="flows"))
    assert held is not None
    assert (held.other, held.ratio.median, held.met) == ("itself at 100", 1.5, False)


def test_there_is_no_verdict_without_anybody_to_compare_with() -> None:
    assert verdict(outcome(series("l4d", 10), series("direct", 9), bar=BEST)) is None
    assert verdict(outcome(series("l4d", 10, point="1"), grows="servers")) is None


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    written = run(outcome(series("l4d", 9, None), series("nginx 16k", 8, 7), bar=BEST))
    write(written, tmp_path / "new" / "results.json")
    assert read(tmp_path / "new" / "results.json") == written
