"""`l4d explain`."""

import json
from typing import Any

from tests.kit.fake_admin import FakeAdmin
from tests.unit.cli.commands.conftest import Typed


def explained(*answers: dict[str, Any], **other: Any) -> dict[str, Any]:
    two = {"name": "two", "address": "10.0.0.2:5432", "takes": False, "why": "drain, by the operator"}
    servers = [{"name": "one", "address": "10.0.0.1:5432", "takes": True, "why": ""}, two]
    known = {"listener": "db", "upstream": "pg", "client": "10.0.0.7", "balance": "hash", "certain": True}
    return {**known, "answers": list(answers), "servers": servers, **other}


def answer(worker: int, server: str | None, why: str) -> dict[str, Any]:
    return {"worker": worker, "server": server, "address": "10.0.0.1:5432", "why": why}


def test_what_all_workers_say_is_a_sentence(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "explain"] = explained(answer(0, "pg/one", "its place in the table"), answer(1, "pg/one", "x"))
    status, out, err = typed("explain", "db", "10.0.0.7")
    assert (status, err) == (0, "")
    assert l4d.heard == [("GET", "/api/v1/explain?listener=db&client=10.0.0.7", None)]
    assert out.splitlines() == [
        "10.0.0.7 of listener db gets pg/one (upstream pg, hash): its place in the table",
        "",
        "SERVER  ADDRESS        TAKES IT  WHY",
        "one     10.0.0.1:5432  yes",
        "two     10.0.0.2:5432  no        drain, by the operator",
    ]


def test_where_workers_differ_each_is_a_line(typed: Typed, l4d: FakeAdmin) -> None:
    several = explained(answer(0, "pg/one", "next in turn"), answer(1, None, "no server is up"), certain=False)
    l4d.answers["GET", "explain"] = several
    lines = typed("explain", "db", "10.0.0.7")[1].splitlines()
    assert lines[0] == "10.0.0.7 of listener db: it depends on the worker it comes to (upstream pg, hash)"
    assert [line.split()[:2] for line in lines[3:5]] == [["0", "pg/one"], ["1", "none"]]


def test_no_server_and_no_answer_are_said(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "explain"] = explained(answer(0, None, "no server is up"), certain=False)
    first = typed("explain", "db", "10.0.0.7")[1].splitlines()[0]
    assert first == "10.0.0.7 of listener db would get, if it came now, no server (upstream pg, hash): no server is up"
    l4d.answers["GET", "explain"] = explained()
    assert "no worker has answered" in typed("explain", "db", "10.0.0.7")[1]


def test_json_is_what_the_api_says(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "explain"] = explained(answer(0, "pg/one", "x"))
    assert json.loads(typed("explain", "db", "10.0.0.7", "--json")[1]) == l4d.answers["GET", "explain"]
