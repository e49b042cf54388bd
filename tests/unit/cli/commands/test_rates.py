"""How fast counters grow."""

from l4d.cli.commands.rates import Rates


def test_a_rate_needs_two_looks() -> None:
    rates = Rates()
    rates.look({"a": 100}, now=10.0)
    assert rates.of("a") is None
    rates.look({"a": 110, "b": 5}, now=12.0)
    assert (rates.of("a"), rates.of("b")) == (5.0, None)


def test_a_counter_that_went_back_has_none() -> None:
    rates = Rates()
    rates.look({"a": 100}, now=10.0)
    rates.look({"a": 1}, now=11.0)
    assert rates.of("a") is None


def test_no_time_is_no_rate() -> None:
    rates = Rates()
    rates.look({"a": 1}, now=10.0)
    rates.look({"a": 2}, now=10.0)
    assert rates.of("a") is None
