"""`l4d kill`: nothing is killed that was not meant. With a terminal: tests/integration/test_commands_kill.py."""

import json

from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin
from tests.unit.cli.commands.conftest import Typed


def test_one_is_killed_by_its_id(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["DELETE", "sessions/00a1"] = {"killed": 1}
    assert typed("kill", "00a1", "--yes") == (0, "1 session killed\n", "")


def test_many_are_killed_by_filters(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["DELETE", "sessions"] = {"killed": 12, "silent": [4712]}
    status, out, err = typed("kill", "--server", "pg/two", "--older", "1h", "--yes")
    assert (status, out) == (1, "12 sessions killed\n")
    assert err == "l4d: no answer in time from worker pid 4712; its sessions end when it goes on, if it does\n"
    assert l4d.heard == [("DELETE", "/api/v1/sessions?server=pg%2Ftwo&older=1h", None)]


def test_json_is_what_the_api_says(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["DELETE", "sessions"] = {"killed": 12, "silent": []}
    assert json.loads(typed("kill", "--listener", "db", "--yes", "--json")[1]) == {"killed": 12, "silent": []}


def test_without_a_filter_it_is_wrong_usage(typed: Typed, l4d: FakeAdmin) -> None:
    for words in (["kill", "--yes"], ["kill", "00a1", "--listener", "db", "--yes"], ["kill", "", "--yes"]):
        status, out, err = typed(*words)
        assert (status, out, err.count("\n")) == (2, "", 1)
    assert l4d.heard == []


def test_an_id_that_is_gone_is_said(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["DELETE", "sessions/00a1"] = 404, {"error": "no session 00a1"}
    assert typed("kill", "00a1", "--yes") == (1, "", "l4d: no session 00a1\n")


def test_without_a_terminal_nobody_can_be_asked(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "sessions"] = documents.sessions(total=3)
    assert typed("kill", "--listener", "db") == (
        1,
        "",
        "l4d: kill asks first, and there is no terminal to ask; say --yes\n",
    )
    assert l4d.heard == []
