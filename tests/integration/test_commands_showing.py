"""status, servers, sessions and top --once of a running l4d; and what is said where none runs."""

import signal
from pathlib import Path

import pytest

from tests.kit import Client, Daemon, Echo, Start, command, wait_until
from tests.kit.commanding import answered, lines, said, told, typed


@pytest.fixture
def one(start: Start, tmp_path: Path) -> Daemon:
    """An l4d with two servers, of which one is not there."""
    return start(_toml(tmp_path, "127.0.0.1:9"))


def _toml(folder: Path, *servers: str) -> str:
    members = ", ".join(f'"{server}"' for server in servers)
    return f"""
{answered(folder)}
[listeners.web]
bind = "127.0.0.1:0"
upstream = "web"
[listeners.other]
bind = "127.0.0.1:0"
upstream = "web"
[upstreams.web]
servers = [{members}]
check = {{ type = "tcp", interval = "100ms", fall = 1, rise = 1 }}
"""


def test_status_says_how_it_is(one: Daemon) -> None:
    shown = said(one, "status").splitlines()
    assert shown[0].startswith("l4d ") and f"pid {one.pid}, configuration {one.config}" in shown[0]
    assert shown[1].startswith("last start: success, generation 1")
    assert [line for line in shown if line.startswith("web ")]
    assert told(one, "status")["pid"] == one.pid


def test_servers_says_why_one_gets_nothing(one: Daemon) -> None:
    [row] = lines(one, "servers")
    assert row[:3] == ["web/127.0.0.1:9", "127.0.0.1:9", "down"]
    assert "connection refused" in " ".join(row)
    assert lines(one, "servers", "web")[0][:3] == row[:3]
    assert told(one, "servers", "web")["name"] == "web"
    ended = typed(one, "servers", "wbe")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)


def test_sessions_are_found_by_every_filter(start: Start, tmp_path: Path) -> None:
    with Echo("one") as echo:
        daemon = start(_toml(tmp_path, str(echo.address)))
        with Client(daemon.address("web")) as client, Client(daemon.address("other")) as other:
            for each in (client, other):
                each.send(b"?\n").read_line()
            mine, theirs = str(client.local), str(other.local)

            def found(*filters: str) -> set[str]:
                return {session["client"] for session in told(daemon, "sessions", *filters)["sessions"]}

            assert found() == found("--upstream", "web") == found("--client", "127.0.0.0/8") == {mine, theirs}
            assert found("--listener", "web") == found("--client", mine) == {mine}
            assert found("--server", f"web/{echo.address}") == found("--server", str(echo.address)) == {mine, theirs}
            assert found("--listener", "web", "--client", theirs) == set()
            assert found("--older", "1h") == set()
            wait_until("they are a second old", lambda: found("--older", "1s") == {mine, theirs})
            assert len(told(daemon, "sessions", "--limit", "1")["sessions"]) == 1
            assert said(daemon, "sessions", "--limit", "1").endswith("1 of 2 sessions; --limit N shows more\n")
            [row] = lines(daemon, "sessions", "--listener", "other")
            assert row[1:5] == ["other", theirs, f"web/{echo.address}", str(echo.address)]


def test_wrong_filters_are_wrong_usage(one: Daemon) -> None:
    for words in (("--older", "soon"), ("--client", "nobody"), ("--limit", "many"), ("--limit", "-1")):
        ended = typed(one, "sessions", *words)
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1), ended


def test_names_of_others_are_not_obeyed_by_the_terminal(one: Daemon) -> None:
    ended = typed(one, "servers", "\x1b[31mevil")
    assert ended.returncode == 1 and "\x1b" not in ended.stderr


def test_top_shows_one_picture_without_a_terminal(one: Daemon) -> None:
    assert "web/127.0.0.1:9" in said(one, "top")


def test_the_commands_work_at_every_moment_of_a_reload(one: Daemon) -> None:
    for generation in (2, 3):
        one.signal(signal.SIGHUP)
        statuses = [typed(one, "status") for _ in range(3)]
        assert [(ended.returncode, ended.stderr) for ended in statuses] == [(0, "")] * 3
        one.wait_log(f"ready: generation {generation}")
    assert told(one, "status")["generation"] == 3


def test_where_no_l4d_runs_that_is_one_line(one: Daemon) -> None:
    one.stop()
    for line in ("status", "top", "drain web/x"):
        ended = typed(one, *line.split())
        assert (ended.returncode, ended.stdout) == (1, ""), ended
        assert "no l4d is running here" in ended.stderr and ended.stderr.count("\n") == 1


def test_a_socket_that_is_not_ones_own_is_one_line(one: Daemon, tmp_path: Path) -> None:
    (tmp_path / "admin.sock").chmod(0)
    ended = command("status", "-c", one.config, rights=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "may not be used by you" in ended.stderr and ended.stderr.count("\n") == 1
