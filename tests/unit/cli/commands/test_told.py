"""Reading what the API says, and what it leaves out."""

import json
from typing import Any

import pytest

from l4d.cli.commands import told

SAID: dict[str, Any] = json.loads(
    '{"name": "a\\u001b", "n": 3, "x": 1.5, "yes": true, "nan": NaN, "huge": 1e999, "none": null,'
    ' "part": {"a": 1, "b": 2, "c": "x"}, "list": [{"n": 1}, 5, "w\\u001b", null]}'
)


def test_words_are_safe_to_print() -> None:
    assert told.words(SAID, "name") == "a\\x1b"
    assert told.texts(SAID, "list") == ["w\\x1b"]
    assert told.words(SAID, "n") == "3"


@pytest.mark.parametrize("key", ["none", "list", "part", "missing"])
def test_what_is_no_word_is_left_out(key: str) -> None:
    assert told.words(SAID, key) == ""
    assert told.words(SAID, key, "?") == "?"


def test_numbers_can_be_reckoned_with() -> None:
    assert [told.number(SAID, key) for key in ("n", "x", "nan", "huge", "name", "missing")] == [3, 1.5, 0, 0, 0, 0]
    assert [told.maybe(SAID, key) for key in ("n", "yes", "nan", "none")] == [3, None, None, None]
    assert told.whole(SAID, "x") == 1
    assert told.numbers(SAID, "list") == [5]
    assert told.total(SAID, "part") == 3


def test_parts_and_rows_are_there_even_if_they_are_not() -> None:
    assert told.part(SAID, "part")["a"] == 1
    assert told.part(SAID, "list") == {}
    assert told.rows(SAID, "list") == [{"n": 1}]
    assert told.rows(SAID, "part") == []
