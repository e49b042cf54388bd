"""`l4d sessions`."""

import json

import pytest

from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin
from tests.unit.cli.commands.conftest import Typed


def test_each_session_is_a_line(typed: Typed) -> None:
    lines = [line.split() for line in typed("sessions")[1].splitlines()]
    assert lines == [
        ["ID", "LISTENER", "CLIENT", "SERVER", "ADDRESS", "PHASE", "AGE", "IDLE", "UP", "DOWN", "WORKER"],
        [
            "00000000000000a1",
            "db",
            "10.9.8.7:5000",
            "pg/one",
            "10.0.0.1:5432",
            "relay",
            "1m00s",
            "0.5s",
            "100",
            "20k",
            "0",
        ],
    ]


def test_the_filters_and_the_limit_are_the_apis(typed: Typed, l4d: FakeAdmin) -> None:
    typed("sessions", "--server", "pg/two", "--client", "10.0.0.0/8", "--older", "1h", "--limit", "5")
    assert l4d.heard == [("GET", "/api/v1/sessions?server=pg%2Ftwo&client=10.0.0.0%2F8&older=1h&limit=5", None)]


def test_that_there_are_more_is_said(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "sessions"] = documents.sessions(documents.session(), total=7)
    assert typed("sessions")[1].endswith("\n1 of 7 sessions; --limit N shows more\n")


def test_none_is_said(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "sessions"] = documents.sessions()
    assert typed("sessions") == (0, "no session\n", "")


@pytest.mark.parametrize(
    ("key", "first"), [("age", "b"), ("bytes", "a"), ("idle", "b"), ("client", "a"), ("listener", "b"), ("server", "a")]
)
def test_they_can_be_sorted(key: str, first: str, typed: Typed, l4d: FakeAdmin) -> None:
    a = documents.session(
        id="a", duration_ms=1, bytes_up=9000, idle_ms=1, client="1.1.1.1:1", listener="z", server_name="a"
    )
    b = documents.session(
        id="b", duration_ms=2, bytes_up=1, idle_ms=2, client="2.1.1.1:1", listener="y", server_name="b"
    )
    l4d.answers["GET", "sessions"] = documents.sessions(*([a, b] if first == "b" else [b, a]))
    assert typed("sessions", "--sort", key)[1].splitlines()[1].split()[0] == first


def test_a_wrong_key_is_wrong_usage(typed: Typed) -> None:
    status, out, err = typed("sessions", "--sort", "beauty")
    assert (status, out) == (2, "")
    assert err == "l4d: --sort beauty: choose age, client, idle, listener, server, bytes\n"


def test_a_silent_worker_is_told(typed: Typed, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "sessions"] = documents.sessions(
        documents.session(retired=True, server_name=None), silent=[4712]
    )
    status, out, err = typed("sessions")
    assert (status, err) == (
        0,
        "l4d: no answer in time from worker pid 4712; its sessions are missing here\n",
    )
    assert "relay, retired" in out


def test_json_is_what_the_api_says(typed: Typed, l4d: FakeAdmin) -> None:
    assert json.loads(typed("sessions", "--json")[1]) == l4d.answers["GET", "sessions"]
