"""Asking a running l4d, and all that may go wrong."""

import os
import socket
from pathlib import Path

import pytest

from l4d.cli.commands.client import Client, WrongUsageError
from l4d.errors import StartError
from tests.kit.fake_admin import FakeAdmin


def test_names_are_quoted_and_answers_are_json(l4d: FakeAdmin) -> None:
    l4d.answers["PATCH", "upstreams/pg/servers/unix%3A%2Frun%2Fpg"] = {"state": "drain"}
    client = Client(str(l4d.path))
    assert client.change("upstreams", "pg", "servers", "unix:/run/pg", to={"state": "drain"}) == {"state": "drain"}
    client.get("sessions", client="10.0.0.0/8", older="1h")
    assert l4d.heard == [
        ("PATCH", "/api/v1/upstreams/pg/servers/unix%3A%2Frun%2Fpg", {"state": "drain"}),
        ("GET", "/api/v1/sessions?client=10.0.0.0%2F8&older=1h", None),
    ]


def test_bytes_that_are_no_text_are_asked_for_as_they_are(l4d: FakeAdmin) -> None:
    client = Client(str(l4d.path))
    with pytest.raises(StartError):
        client.delete("sessions", "\udcff\udcc3", listener="\udcff")
    assert l4d.heard == [("DELETE", "/api/v1/sessions/%FF%C3?listener=%FF", None)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {"error": "no upstream 'x'"}), "^no upstream 'x'$"),
        ((503, {}), "^status 503$"),
        ((503, {"error": "\x1b[2J"}), r"^\\x1b\[2J$"),
        ((200, "[1, 2]"), "answers, but not as l4d does"),
        ((200, "{"), "answers, but not as l4d does"),
        ((200, "[" * 100_000), "answers, but not as l4d does"),
        (b"SSH-2.0-x\x1b\r\n", r"asking l4d on .*SSH-2.0-x\\x1b"),
        (b"", "asking l4d on .*closed connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "asking l4d on .*IncompleteRead"),
    ],
)
def test_whatever_answers_is_told_in_one_line(answer: object, words: str, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "status"] = answer
    with pytest.raises(StartError, match=words) as error:
        Client(str(l4d.path)).get("status")
    assert str(error.value).isprintable()


def test_a_wrong_request_is_wrong_usage(l4d: FakeAdmin) -> None:
    l4d.answers["GET", "sessions"] = 400, {"error": "older: '1x' is no duration"}
    with pytest.raises(WrongUsageError, match=r"older: '1x' is no duration") as error:
        Client(str(l4d.path)).get("sessions", older="1x")
    assert error.value.exit_status == 2


def test_no_socket_is_no_l4d(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=f"^no l4d is running here: there is no {tmp_path}/x; start it, or"):
        Client(f"{tmp_path}/x").get("status")


def test_a_socket_that_was_left_behind_is_no_l4d(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/x")
    with pytest.raises(StartError, match=f"^no l4d is running here: nobody listens on {tmp_path}/x"):
        Client(f"{tmp_path}/x").get("status")


def test_a_path_that_cannot_be_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^connecting to /x+: AF_UNIX path too long"):
        Client("/" + "x" * 200).get("status")
    with pytest.raises(StartError, match=r"^connecting to .*: Not a directory"):
        Client(f"{__file__}/x").get("status")


def test_one_that_may_not_be_used_says_whom_to_ask(l4d: FakeAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_sock: object, _path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("l4d.cli.commands.client.socket.socket.connect", refuse)
    with pytest.raises(StartError, match=rf"may not be used by you \(uid {os.geteuid()}\): admin.socket_mode"):
        Client(str(l4d.path)).get("status")


def test_one_that_says_nothing_is_not_waited_for_endlessly(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{tmp_path}/x")
        silent.listen()
        with pytest.raises(StartError, match=r"^l4d has not answered on .* within 0.05 s; try again$"):
            Client(f"{tmp_path}/x", patience=0.05).get("status")
