"""`l4d drain`, `ready`, `maint` and `weight`."""

import json
from typing import Any

import pytest

from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin
from tests.unit.cli.commands.conftest import Typed

ONE = "upstreams/pg/servers/one"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("drain pg/one", {"state": "drain"}),
        ("ready pg/one", {"state": "ready"}),
        ("maint pg/one", {"state": "maint"}),
        ("weight pg/one 5", {"weight": 5}),
        ("weight pg/one file", {"weight": None}),
    ],
)
def test_each_word_is_a_change(line: str, asked: dict[str, Any], typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["PATCH", ONE] = documents.server(state="drain", serving=False, why="drain, by the operator", weight=7)
    status, out, err = typed(*line.split())
    assert (status, err) == (0, "")
    assert l4d.heard == [("PATCH", f"/api/v1/{ONE}", asked)]
    shown = out.splitlines()[1].split()
    assert shown[:4] == ["pg/one", "10.0.0.1:5432", "drain", "7"]


def test_a_server_may_have_strokes_in_its_name(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["PATCH", "upstreams/pg/servers/unix%3A%2Frun%2Fpg"] = documents.server("unix:/run/pg")
    assert "pg/unix:/run/pg" in typed("drain", "pg/unix:/run/pg")[1]


def test_one_that_is_not_there_does_not_hinder_the_others(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["PATCH", ONE] = documents.server()
    l4d.answers["PATCH", "upstreams/pg/servers/three"] = 404, {"error": "no such server"}
    status, out, err = typed("drain", "pg/three", "pg/one")
    assert (status, err) == (1, "l4d: pg/three: no such server\n")
    assert "pg/one" in out


def test_json_has_them_all(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["PATCH", ONE] = documents.server()
    assert json.loads(typed("drain", "pg/one", "--json")[1]) == {"servers": [documents.server()]}


@pytest.mark.parametrize("word", ["pg", "/one", "pg/", "\x1b/"])
def test_what_is_no_server_is_wrong_usage(word: str, typed: Typed, l4d: FakeAdmin) -> None:
    status, out, err = typed("drain", "pg/one", word)
    assert (status, out, l4d.heard) == (2, "", [])
    assert "is no UPSTREAM/SERVER" in err and err.count("\n") == 1 and "\x1b" not in err


@pytest.mark.parametrize("word", ["0", "65536", "five", "-1", "1.5", "9" * 5000, "²"])
def test_what_is_no_weight_is_wrong_usage(word: str, typed: Typed, l4d: FakeAdmin) -> None:
    status, out, err = typed("weight", "pg/one", "--", word)
    assert (status, out, l4d.heard) == (2, "", [])
    assert "is no weight: 1 to 65535, or 'file'" in err
