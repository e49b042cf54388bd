"""`l4d status`."""

import json

from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin
from tests.unit.cli.commands.conftest import Typed


def test_the_first_lines_say_how_it_is(typed: Typed) -> None:
    status, out, err = typed("status")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        "l4d 0.1.0 is healthy: generation 3, 10 sessions, up for 3h12m, pid 4700, configuration /etc/l4d/l4d.toml",
        "last reload: success, generation 3, 5m00s ago",
        "ends: -- 23440  SC 6",
    ]
    assert [line for line in out.splitlines() if line.istitle() or line == "Newest bad ends"] == [
        "Listeners",
        "Upstreams",
        "Workers",
        "Newest bad ends",
    ]


def test_what_is_wrong_is_said_first(typed: Typed, l4d: FakeAdmin) -> None:
    change = {"what": "reload", "result": "failure", "message": "l4d.toml:3: no such key"}
    lost = {"log_lines_dropped_total": 7, "process_restarts_total": {"worker": 1, "control": 1}}
    l4d.answers["GET", "status"] = documents.status(
        healthy=False, problems=["worker 1 is silent"], reloads=[change], **lost
    )
    lines = typed("status")[1].splitlines()
    assert lines[0].startswith("l4d 0.1.0 is not healthy: ")
    assert lines[1:3] == [
        "  problem: worker 1 is silent",
        "last reload: failure, generation ?: l4d.toml:3: no such key",
    ]
    assert lines[4] == "log lines dropped: 7; processes replaced: 2"


def test_listeners_upstreams_and_workers_are_tables(typed: Typed, l4d: FakeAdmin) -> None:
    many = documents.listener("web", addresses=["0.0.0.0:80", "[::]:80"], refused={"limit": 3}, dropped={"full": 4})
    l4d.answers["GET", "listeners"] = {"listeners": [documents.listener(), many]}
    l4d.answers["GET", "workers"] = {
        "workers": [documents.worker(0), documents.worker(1, state="full", heartbeat_age_seconds=9)]
    }
    lines = [line.split() for line in typed("status")[1].splitlines()]
    assert ["web", "tcp", "0.0.0.0:80", "and", "1", "more", "pg", "10", "23456", "977k", "1.9G", "7"] in lines
    assert ["pg", "least_conn", "tcp", "1", "of", "2", "10", "0", "two"] in lines
    assert ["1", "3", "4712", "full", "5", "3%", "24M", "9.0s", "0.8ms"] in lines


def test_ordinary_ends_are_not_bad_ones(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "status"] = documents.status(
        newest_ends=[documents.ended("--", "finished"), documents.ended("KD", "killed")]
    )
    assert "Newest bad ends" not in typed("status")[1]


def test_json_is_what_the_api_says(typed: Typed, l4d: FakeAdmin) -> None:
    assert json.loads(typed("status", "--json")[1]) == l4d.answers["GET", "status"]


def test_another_version_may_leave_anything_out(typed: Typed, l4d: FakeAdmin) -> None:
    for what in ("status", "listeners", "upstreams", "workers"):
        l4d.answers["GET", what] = {}
    assert typed("status")[0] == 0
    l4d.answers["GET", "listeners"] = {"listeners": [{}, None, {"addresses": 5}]}
    l4d.answers["GET", "upstreams"] = {"upstreams": [{}, {"servers": [{}, 7]}]}
    l4d.answers["GET", "workers"] = {"workers": [{}]}
    l4d.answers["GET", "status"] = {"newest_ends": [{}], "reloads": [{}], "problems": 3, "ends": []}
    assert typed("status")[0] == 0
