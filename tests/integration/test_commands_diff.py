"""`l4d diff` before a reload, and what the reload does."""

from pathlib import Path
from typing import Any

from tests.kit import Client, Daemon, Echo, Start, command, wait_until
from tests.kit.commanding import answered, said, told
from tests.kit.echo import lives


def _toml(folder: Path, upstreams: str, listeners: str = "", main: str = "") -> str:
    return f"""
[main]
workers = 2
{main}
{answered(folder)}
[log]
level = "debug"
[listeners.web]
bind = "127.0.0.1:0"
upstream = "web"
{listeners}
[upstreams.web]
{upstreams}
"""


def _servers(**named: Any) -> str:
    members = (f'{{ name = "{name}", address = "{address}" }}' for name, address in named.items())
    return f"servers = [{', '.join(members)}]\n"


def _changes(daemon: Daemon) -> dict[str, tuple[int, str]]:
    """What a reload of the file as it is now would change."""
    return {one["key"]: (one["sessions"], one["effect"]) for one in told(daemon, "diff")["changes"]}


def test_what_runs_is_no_difference_and_t_says_so(start: Start, tmp_path: Path) -> None:
    with Echo() as one:
        daemon = start(_toml(tmp_path, _servers(one=one.address)))
        assert said(daemon, "diff") == f"no difference: l4d runs what {daemon.config} says\n"
        ended = command("-t", "-c", daemon.config)
        assert ended.returncode == 0
        assert ended.stderr.splitlines()[1] == "l4d: the running l4d serves that already: a reload would change nothing"
        daemon.write(_toml(tmp_path, _servers(one=one.address) + 'connect_timeout = "1s"\n'))
        told_by_t = command("-t", "-c", daemon.config).stderr.splitlines()[1:]
        assert told_by_t == [
            "l4d: a reload of the running l4d would change 1 thing; no session lives now",
            'l4d:   upstreams.web.connect_timeout: "5s" -> "1s"  (new sessions only)',
        ]
        assert command("-t", "-q", "-c", daemon.config).stderr == ""


def test_live_sessions_go_on_with_a_new_timeout(start: Start, tmp_path: Path) -> None:
    with Echo() as one:
        daemon = start(_toml(tmp_path, _servers(one=one.address)))
        with Client(daemon.address()) as client:
            assert lives(client)
            daemon.write(_toml(tmp_path, _servers(one=one.address), 'idle_timeout = "200ms"'))
            change = {"listeners.web.idle_timeout": (1, "live sessions go on with the new value")}
            assert _changes(daemon) == change
            daemon.hand_over()
            assert client.read_all() == b""
            daemon.wait_log("end=cD")
        wait_until("nothing would change any more", lambda: not _changes(daemon))


def test_sessions_of_a_server_that_goes_run_on(start: Start, tmp_path: Path) -> None:
    with Echo() as one, Echo() as two:
        daemon = start(_toml(tmp_path, _servers(one=one.address)))
        with Client(daemon.address()) as client:
            assert lives(client)
            daemon.write(_toml(tmp_path, _servers(two=two.address)))
            assert _changes(daemon) == {
                "upstreams.web.servers.two": (0, "gets its share of new sessions"),
                "upstreams.web.servers.one": (1, "those that live run on until they end"),
            }
            daemon.hand_over()
            assert lives(client)
            [session] = told(daemon, "sessions")["sessions"]
            assert (session["server_name"], session["retired"]) == ("one", True)


def test_sessions_of_a_server_that_takes_them_with_it_end(start: Start, tmp_path: Path) -> None:
    with Echo() as one, Echo() as two:
        close = 'on_down = "close"\n'
        daemon = start(_toml(tmp_path, _servers(one=one.address) + close))
        with Client(daemon.address()) as client:
            assert lives(client)
            daemon.write(_toml(tmp_path, _servers(two=two.address) + close))
            assert _changes(daemon)["upstreams.web.servers.one"] == (1, '1 would end with DD (on_down = "close")')
            daemon.hand_over()
            daemon.wait_log("end=DD")
            wait_until("the client is told", lambda: not lives(client))


def test_sessions_of_a_listener_that_goes_run_on_and_nobody_new_comes(start: Start, tmp_path: Path) -> None:
    with Echo() as one:
        second = '[listeners.second]\nbind = "127.0.0.1:0"\nupstream = "web"\n'
        daemon = start(_toml(tmp_path, _servers(one=one.address), second))
        with Client(daemon.address("second")) as client:
            assert lives(client)
            daemon.write(_toml(tmp_path, _servers(one=one.address)))
            words = "no new clients there; those that live run on until they end"
            assert _changes(daemon) == {"listeners.second": (1, words)}
            daemon.hand_over()
            assert lives(client)


def test_with_another_number_of_workers_all_sessions_are_spread(start: Start, tmp_path: Path) -> None:
    with Echo() as one:
        daemon = start(_toml(tmp_path, _servers(one=one.address)))
        with Client(daemon.address()) as client:
            assert lives(client)
            daemon.write(_toml(tmp_path, _servers(one=one.address)).replace("workers = 2", "workers = 1"))
            assert _changes(daemon) == {"main.workers": (1, "spread over the new number of workers")}
            daemon.hand_over()
            assert lives(client)
            assert {session["worker"] for session in told(daemon, "sessions")["sessions"]} == {0}


def test_without_handover_sessions_stay_as_they_are(start: Start, tmp_path: Path) -> None:
    with Echo() as one:
        daemon = start(_toml(tmp_path, _servers(one=one.address)))
        with Client(daemon.address()) as client:
            assert lives(client)
            off = 'handover = false\ndrain_timeout = "1h"'
            daemon.write(_toml(tmp_path, _servers(one=one.address), 'idle_timeout = "1s"', off))
            shown = said(daemon, "diff")
            words = "1 session would stay in the old workers, as they are, for 1h at most (main.handover is false)"
            assert words in shown.splitlines()[0]
            assert _changes(daemon)["listeners.web.idle_timeout"] == (0, "new sessions only")
            daemon.reload()
            assert lives(client)
            [session] = told(daemon, "sessions")["sessions"]
            assert session["generation"] == 1


def test_an_operators_wish_that_ends_is_told(start: Start, tmp_path: Path) -> None:
    with Echo() as one:
        daemon = start(_toml(tmp_path, _servers(one=one.address)))
        said(daemon, "weight", "web/one", "5")
        daemon.write(_toml(tmp_path, f'servers = [{{ name = "one", address = "{one.address}", weight = 3 }}]'))
        words = "new sessions only; the operator's weight 5 ends"
        assert _changes(daemon) == {"upstreams.web.servers.one.weight": (0, words)}
        daemon.hand_over()
        wait_until("the file's weight is in force", lambda: _weight(daemon) == (3, {}))


def _weight(daemon: Daemon) -> tuple[float, dict[str, Any]]:
    [server] = told(daemon, "servers", "web")["servers"]
    return server["weight"], server["wishes"]
