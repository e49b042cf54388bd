"""`l4d servers`."""

import json
from typing import Any

import pytest

from l4d.cli.commands import servers
from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin
from tests.unit.cli.commands.conftest import Typed


def test_every_server_is_a_line_with_the_reason(typed: Typed) -> None:
    status, out, err = typed("servers")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["SERVER", "ADDRESS", "STATE", "WEIGHT", "SESSIONS", "TOTAL", "FAILED", "CONNECT", "FOR", "WHY"],
        ["pg/one", "10.0.0.1:5432", "up", "1", "10", "12345", "0", "1.2ms", "1h00m"],
        ["pg/two", "10.0.0.2:5432", "down", "1", "0", "12345", "7", "-", "1h00m", "checks:", "connection", "refused"],
    ]


def test_one_upstream_may_be_named(typed: Typed, l4d: FakeAdmin) -> None:
    assert "pg/two" in typed("servers", "pg")[1]
    assert typed("servers", "nobody")[0] == 1
    assert l4d.heard[0] == ("GET", "/api/v1/upstreams/pg", None)


def test_json_is_what_the_api_says(typed: Typed, l4d: FakeAdmin) -> None:
    assert json.loads(typed("servers", "--json")[1]) == l4d.answers["GET", "upstreams"]


def test_an_upstream_without_servers_is_said(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "upstreams"] = {"upstreams": []}
    assert typed("servers")[1] == "no server\n"


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({}, "up"),
        ({"verdict": "unknown"}, "ready"),
        ({"verdict": "down", "serving": False}, "down"),
        ({"verdict": "down", "serving": False, "state": "maint"}, "maint"),
        ({"state": "drain", "serving": False}, "drain"),
        ({"serving": False, "out_seconds": 7}, "out"),
        ({"serving": False, "max_sessions": 10}, "full"),
        ({"backup": True}, "up backup"),
    ],
)
def test_the_state_is_a_word(told: dict[str, Any], word: str) -> None:
    assert servers.state(documents.server(**told))[0] == word


def test_what_is_wished_stands_beside_the_reason() -> None:
    told = documents.server(
        why="drain, by the operator", serving=False, wishes={"state": "drain", "weight": 5}, agent="50%"
    )
    assert servers.why(told) == "drain, by the operator; operator: weight 5; agent: 50%"
    assert servers.why(documents.server(wishes={"state": "ready"})) == "operator: state ready"


def test_names_cannot_steer_the_terminal(typed: Typed, l4d: FakeAdmin) -> None:
    evil = documents.server("[red]\x1b[31m", why="\x1b]0;owned\x07", serving=False)
    l4d.answers["GET", "upstreams"] = {"upstreams": [documents.upstream("pg", evil)]}
    out = typed("servers")[1]
    assert "pg/[red]\\x1b[31m" in out and "\\x1b]0;owned\\x07" in out
    assert "\x1b" not in out
