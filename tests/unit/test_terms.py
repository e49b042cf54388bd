"""The words an operator sees."""

import enum

import pytest

from l4d import terms
from l4d.terms import End, Level

CHOICES = [
    choice
    for choice in vars(terms).values()
    if isinstance(choice, type) and issubclass(choice, enum.Enum) and choice not in (enum.Enum, terms.Word)
]


@pytest.mark.parametrize("choice", CHOICES)
def test_no_word_means_two_things(choice: type[enum.Enum]) -> None:
    assert len(choice) == len(choice.__members__) > 0


@pytest.mark.parametrize("end", End)
def test_every_end_has_two_letters_and_says_what_they_mean(end: End) -> None:
    assert len(end.value) == 2
    assert end.words


def test_no_two_ends_read_alike() -> None:
    assert len({end.words for end in End}) == len(End)


def test_the_loudest_level_comes_first() -> None:
    assert [level.value for level in Level] == ["error", "warning", "info", "debug"]
