"""The way out of a mistyped word."""

from l4d.config.suggest import did_you_mean, nearest, one_of


def test_the_nearest_word_is_suggested() -> None:
    assert did_you_mean("upstrem", ["bind", "upstream"]) == "; did you mean 'upstream'?"


def test_nothing_is_suggested_when_nothing_is_near() -> None:
    assert did_you_mean("xyz", ["bind", "upstream"]) == ""


def test_a_very_long_word_is_compared_by_its_beginning() -> None:
    assert nearest("upstream" * 100_000, ["upstream"]) is None


def test_words_are_listed_as_one_says_them() -> None:
    assert one_of(["tcp"]) == "tcp"
    assert one_of(["tcp", "udp"]) == "tcp or udp"
    assert one_of(["auto", "copy", "splice"]) == "auto, copy or splice"
