"""How values are taken out of TOML by the tables of keys."""

from collections.abc import Collection, Iterator

import pytest

from l4d.config.kinds import Key, Kind, One, Several, Table, Values, section
from l4d.config.problems import Place, Problems
from l4d.config.reading import defaults, note_missing, read_section, read_value
from l4d.config.values import boolean, integer
from l4d.errors import ConfigError
from tests.unit.config.helpers import problems_of

NUMBER = One(integer(0, 9))
POINT = section("point", Key("x", NUMBER, None, "across"), Key("y", NUMBER, 5, "up"))
TABLE = Table(POINT, NUMBER, lambda x: {"x": x}, dict, dict)


def disagreeing(values: Values, tried: Collection[str]) -> Iterator[tuple[str, str]]:
    """Of a point: x and y must differ, and one of them be given."""
    if "x" in values and values["x"] == values.get("y"):
        yield "y", "is x"
    if not {"x", "y"} & set(tried):
        yield "", "is nowhere"


EITHER = Table(
    section("either", Key("x", NUMBER, 0, "across"), Key("y", NUMBER, 0, "up")),
    NUMBER,
    lambda x: {"x": x},
    dict,
    dict,
    examine=disagreeing,
    counting=lambda values: {} if values == {"y": 9} else values,
)


def read(kind: Kind, value: object) -> tuple[object, list[str]]:
    problems = Problems({}, Place("a.toml", 0))
    result = read_value(kind, value, ("key",), problems)
    return result, [message.removeprefix("a.toml: ") for message in problems_of(problems)]


def test_a_wrong_value_is_none_and_noted() -> None:
    assert read(NUMBER, 3) == (3, [])
    assert read(NUMBER, 10) == (None, ["key: must be a whole number from 0 to 9, not 10"])


def test_a_list_keeps_the_places_of_the_right_elements() -> None:
    assert read(Several(NUMBER), [1, "x", 3]) == (
        {0: 1, 2: 3},
        ["key[1]: must be a whole number from 0 to 9, not 'x'"],
    )


def test_a_list_of_one_needs_no_brackets() -> None:
    assert read(Several(NUMBER), 3) == ({0: 3}, [])
    assert read(Several(NUMBER), "x") == ({}, ["key: must be a whole number from 0 to 9, not 'x'"])


def test_a_list_is_empty_only_where_it_may_be() -> None:
    assert read(Several(NUMBER), []) == ({}, ["key: must not be empty"])
    assert read(Several(NUMBER, may_be_empty=True), []) == ({}, [])


def test_a_table_has_its_defaults_and_a_short_form() -> None:
    assert read(TABLE, {"x": 1}) == ({"x": 1, "y": 5}, [])
    assert read(TABLE, {"x": 1, "y": 2}) == ({"x": 1, "y": 2}, [])
    assert read(TABLE, 1) == ({"x": 1, "y": 5}, [])
    assert read(TABLE, []) == (None, ["key: must be a whole number from 0 to 9, not a list"])


def test_a_table_with_anything_wrong_in_it_is_none() -> None:
    assert read(TABLE, {"x": 1, "y": "z", "q": 1}) == (
        None,
        ["key.q: no such key", "key.y: must be a whole number from 0 to 9, not 'z'"],
    )
    assert read(TABLE, {"y": 1}) == (None, ["key: has no 'x': across"])


def test_the_keys_of_a_table_are_examined_together() -> None:
    assert read(EITHER, {"x": 1, "y": 1}) == (None, ["key.y: is x"])
    assert read(EITHER, {}) == (None, ["key: is nowhere"])
    assert read(EITHER, {"x": 1}) == ({"x": 1, "y": 0}, [])
    assert read(EITHER, 1) == ({"x": 1, "y": 0}, [])


def test_what_is_wrong_or_mistyped_is_not_missing_and_the_rest_is_examined_all_the_same() -> None:
    assert read(EITHER, {"x": "z"}) == (None, ["key.x: must be a whole number from 0 to 9, not 'z'"])
    assert read(TABLE, {"z": 1})[1] == ["key: has no 'x': across", "key.z: no such key"]
    long = Table(
        section("long", Key("address", NUMBER, 0, "where")),
        NUMBER,
        lambda x: {},
        dict,
        dict,
        examine=lambda _, tried: [("", str(sorted(tried)))],
    )
    assert read(long, {"adress": 1})[1] == [
        "key: ['address']",
        "key.adress: no such key; did you mean 'address'?",
    ]


def test_what_does_not_count_is_as_if_it_were_not_written() -> None:
    assert read(EITHER, {"y": 9}) == ({"x": 0, "y": 0}, [])


def test_a_section_that_is_no_table_is_noted_once() -> None:
    problems = Problems({}, Place("a.toml", 0))
    assert read_section(POINT, 3, ("point",), problems) == {}
    note_missing(POINT, 3, {}, ("point",), problems)
    assert problems_of(problems) == ["a.toml: point: must be a table, not 3"]


def test_a_mistyped_key_is_not_called_missing_too() -> None:
    long = section("long", Key("upstream", NUMBER, None, "where to"), Key("bind", NUMBER, None, "where from"))
    problems = Problems({}, Place("a.toml", 0))
    table = {"upstrem": 1, "bind": "wrong"}
    note_missing(long, table, read_section(long, table, (), problems), (), problems)
    assert problems_of(problems) == [
        "a.toml: bind: must be a whole number from 0 to 9, not 'wrong'",
        "a.toml: upstrem: no such key; did you mean 'upstream'?",
    ]


def test_a_default_nobody_could_write_is_an_error_of_ours() -> None:
    with pytest.raises(ConfigError):
        defaults(section("broken", Key("flag", One(boolean), 3, "why")))
