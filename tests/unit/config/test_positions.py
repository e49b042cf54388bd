"""Where each key of a TOML text stands."""

import pytest

from l4d.config.positions import dotted, positions
from l4d.config.toml import NotToml

DRAWN = """\
[servers]
hosts = [   # a comment, with ] in it
    "a",
    { "b.c" = 1, 'd' . e = "}" }, [
        2 ] ,
]
[[list]]
[[list]]
key.sub = 1
[list.inner]
x = 1
[[list.deep]]
y = 2
"""


def test_tables_keys_and_elements_have_the_lines_they_begin_on() -> None:
    assert positions(DRAWN) == {
        ("servers",): 1,
        ("servers", "hosts"): 2,
        ("servers", "hosts", 0): 3,
        ("servers", "hosts", 1): 4,
        ("servers", "hosts", 1, "b.c"): 4,
        ("servers", "hosts", 1, "d"): 4,
        ("servers", "hosts", 1, "d", "e"): 4,
        ("servers", "hosts", 2): 4,
        ("servers", "hosts", 2, 0): 5,
        ("list",): 7,
        ("list", 0): 7,
        ("list", 1): 8,
        ("list", 1, "key"): 9,
        ("list", 1, "key", "sub"): 9,
        ("list", 1, "inner"): 10,
        ("list", 1, "inner", "x"): 11,
        ("list", 1, "deep"): 12,
        ("list", 1, "deep", 0): 12,
        ("list", 1, "deep", 0, "y"): 13,
    }


@pytest.mark.parametrize(
    "value",
    [
        '"""\n"""',
        '"""a\n\\""" ""b"""""',
        "'''\n'''",
        "'''a\n''b'''''",
        '"a\\"b # ] }"',
        "'a\\'",
        "1979-05-27 07:32:00  # a date",
        "[\n]",
        "{ }",
        "-inf",
    ],
)
def test_a_value_ends_where_the_parser_says(value: str) -> None:
    lines = value.count("\n")
    assert positions(f"a = {value}\nb = 2\n") == {("a",): 1, ("b",): 2 + lines}


def test_a_table_named_on_the_way_gets_its_own_line_when_it_comes() -> None:
    assert positions("[a.b]\n[a]\n") == {("a",): 2, ("a", "b"): 1}


def test_quoted_keys_are_those_the_parser_gives() -> None:
    assert positions('"\\u00e9" = 1\n\'\\\' = 2\n"" = 3') == {("é",): 1, ("\\",): 2, ("",): 3}


@pytest.mark.parametrize("text", ["a = " + "[" * 101 + "]" * 101, ".".join("a" * 101) + " = 1"], ids=["list", "key"])
def test_nobody_nests_a_hundred_levels(text: str) -> None:
    with pytest.raises(NotToml, match="nested too deeply"):
        positions(text)


def test_a_path_is_written_as_the_operator_knows_it() -> None:
    assert dotted(("upstreams", "db", "servers", 1, "weight")) == "upstreams.db.servers[1].weight"
    assert dotted(("listeners", "a.b")) == 'listeners."a.b"'
