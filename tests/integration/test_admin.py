"""The admin API: what is told, what can be changed, and what wrong requests are answered."""

import os
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGCONT
from typing import Any
from urllib.parse import quote

import pytest

from l4d.address import Address, Inet
from tests.kit import Daemon, Echo, Server, Start, ask, processes, wait_until
from tests.kit.api import Api, Connection


def config(*servers: object, admin: str = "", more: str = "", listener: str = "") -> str:
    """Without a socket of its own: tests give the folder by `--set`."""
    return f"""
        [admin]
        listen = "127.0.0.1:0"
        {admin}

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        {listener}

        [upstreams.web]
        servers = [{", ".join(str(server) for server in servers)}]
        {more}
    """


def entry(server: Echo | Server, name: str, more: str = "") -> str:
    return f'{{ address = "{server.address}", name = "{name}"{more} }}'


def with_api(start: Start, folder: Path, toml: str, *args: str) -> tuple[Daemon, Api]:
    """l4d, and its API over a unix socket."""
    path = folder / "l4d.sock"
    daemon = start(toml, "--set", f'admin.socket="{path}"', *args)
    return daemon, Api(path)


def over_tcp(daemon: Daemon) -> Api:
    """The same over TCP."""
    found = re.findall(r"admin API on tcp (\S+):(\d+), read only", daemon.log())
    return Api(Inet(found[-1][0].strip("[]"), int(found[-1][1])))


def answers(address: Address, times: int = 12) -> Counter[str]:
    return Counter(ask(address) for _ in range(times))


# What is told


def test_the_status_tells_the_whole(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        assert answers(daemon.address(), 3) == {"one": 3}
        wait_until("they are over", lambda: api.get("status")["ends"].get("--") == 3)
        status = api.get("status")
        assert status["pid"] == daemon.pid
        assert status["config"] == str(daemon.config)
        assert (status["generation"], status["healthy"], status["problems"]) == (1, True, [])
        assert (status["sessions_total"], status["ends"]) == (3, {"--": 3})
        assert status["bytes_up_total"] > 0 < status["bytes_down_total"]
        [change] = status["reloads"]
        assert (change["what"], change["result"], change["generation"], change["message"]) == (
            "start",
            "success",
            1,
            "",
        )
        assert status["started"] <= change["time"] <= status["time"]
        wait_until("there is a past", lambda: api.get("status")["history"]["time"])
        history = api.get("status")["history"]
        assert len({len(history[name]) for name in history if name != "interval_seconds"}) == 1


def test_a_listener_tells_its_real_address_and_what_it_has_served(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        ask(daemon.address())
        wait_until("its session is over", lambda: api.get("listeners")["listeners"][0]["ends"]["--"])
        [listener] = api.get("listeners")["listeners"]
        assert listener["addresses"] == [str(daemon.address())]
        assert (listener["name"], listener["protocol"], listener["upstream"]) == ("web", "tcp", "web")
        assert (listener["sessions_total"], listener["ends"]["--"]) == (1, 1)
        assert listener["duration_ms"]["mean"] > 0


def test_an_upstream_tells_of_its_servers_and_why_one_does_not_serve(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        check = 'check = { type = "tcp", interval = "50ms", fall = 1 }'
        daemon, api = with_api(start, tmp_path, config(entry(one, "one"), entry(two, "two"), more=check))
        two.close()
        wait_until("two is down", lambda: api.get("upstreams/web")["up"] == 1)
        upstream = api.get("upstreams/web")
        assert upstream == api.get("upstreams")["upstreams"][0] | {"servers": upstream["servers"]}
        good, bad = upstream["servers"]
        assert (good["verdict"], good["serving"], good["why"]) == ("up", True, "")
        assert (bad["verdict"], bad["serving"], bad["why"]) == ("down", False, "down by its checks")
        assert bad["reason"] == "connection refused"
        assert upstream["listeners"] == ["web"]
        since = bad["since"]
        daemon.reload()
        assert api.get("upstreams/web")["servers"][1]["since"] == since, "another control process knows it as well"


def test_the_workers_tell_how_they_are(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))

        def serving() -> Any:
            told = api.get("workers")
            return told if {worker["state"] for worker in told["workers"]} == {"serving"} else None

        told = wait_until("all serve", serving)
        assert [worker["pid"] for worker in told["workers"]] == daemon.workers()
        assert all(worker["heartbeat_age_seconds"] < 5 for worker in told["workers"])
        assert told["master"]["pid"] == daemon.pid
        every = (*told["workers"], told["control"], told["master"])
        assert all(process["resident_bytes"] > 1 << 20 for process in every)


def test_the_configuration_is_told_as_it_is_in_force(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")), "--set", "main.drain_timeout=7")
        told = api.get("config")
        assert told["files"] == [str(daemon.config)]
        assert told["config"]["main"]["drain_timeout"] == "7s"
        assert told["config"]["admin"]["socket_mode"] == "0600"
        assert told["config"]["listeners"]["web"]["idle_timeout"] == "10m"
        assert 'drain_timeout = "7s"\n' in told["toml"]


def test_whoever_is_well_says_so(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        _daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        reply = api.ask("GET", "/healthz")
        assert (reply.status, reply.json) == (200, {"healthy": True, "problems": []})


def test_a_worker_that_hangs_is_seen_and_waited_for_no_longer_than_a_moment(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, ThreadPoolExecutor() as pool:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        pid = daemon.workers()[0]
        processes.freeze(pid)
        reply = wait_until("it is not well", lambda: (r := api.ask("GET", "/healthz")).status == 503 and r)
        assert reply is not False
        [problem] = reply.json["problems"]
        assert f"(pid {pid}) has not been heard of for " in problem
        status = api.get("status")
        assert (status["healthy"], len(status["problems"])) == (False, 1)
        many = [pool.submit(api.ask, "GET", "/api/v1/sessions?limit=100000") for _ in range(3)]
        assert sorted(each.result().status for each in many) == [200, 429, 429], "there is no memory for more at a time"
        assert api.get("sessions")["silent"] == [pid]
        os.kill(pid, SIGCONT)
        wait_until("it is well again", lambda: api.ask("GET", "/healthz").status == 200)


def test_the_metrics_are_those_of_prometheus(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        ask(daemon.address())
        reply = api.ask("GET", "/metrics")
        assert reply.headers["Content-Type"].startswith("text/plain")
        assert b'\nl4d_sessions_total{listener="web"} 1.0\n' in reply.body


def test_the_page_may_use_its_own_scripts_and_nothing_else(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        _daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        reply = api.ask("GET", "/")
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in reply.headers


def test_head_is_answered_as_get_without_a_body(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        _daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        for path in ("/", "/metrics", "/healthz", "/api/v1/status", "/api/v1/sessions", "/api/v1/openapi.json"):
            reply = api.ask("HEAD", path)
            assert (reply.status, reply.body) == (200, b""), path


# Sessions


def test_sessions_are_listed_and_ended(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        with daemon.client() as kept, daemon.client() as ended:
            for client in (kept, ended):
                client.send(b"hello\n").read_line()
            sessions = api.get("sessions")
            assert (sessions["total"], sessions["limit"], sessions["silent"]) == (2, 1000, [])
            assert [session["phase"] for session in sessions["sessions"]] == ["relay", "relay"]
            host, port = ended.socket.getsockname()
            [mine] = api.get(f"sessions?client={host}:{port}&server=web/one&limit=1")["sessions"]
            assert mine["client"] == f"{host}:{port}"
            reply = api.ask("DELETE", f"/api/v1/sessions/{mine['id']}")
            assert (reply.status, reply.json) == (200, {"killed": 1})
            wait_until("it is over", lambda: api.get("sessions")["total"] == 1)
            assert api.ask("DELETE", f"/api/v1/sessions/{mine['id']}").status == 404
            reply = api.ask("DELETE", "/api/v1/sessions?listener=web")
            assert (reply.status, reply.json) == (200, {"killed": 1, "silent": []})
            wait_until("all are over", lambda: api.get("sessions")["total"] == 0)
        log = daemon.log()
        assert re.search(rf"killed session {mine['id']} \(by root, uid 0, pid \d+\)", log)
        assert re.search(r"killed 1 sessions, listener 'web' \(by root, uid 0, pid \d+\)", log)


def test_many_sessions_are_listed_whole(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        clients = [daemon.client() for _ in range(450)]
        try:
            wait_until("all are there", lambda: api.get("sessions?limit=1")["total"] == len(clients))
            assert len(api.get("sessions")["sessions"]) == len(clients)
            assert len(api.get("sessions?limit=200")["sessions"]) == 200
        finally:
            for client in clients:
                client.close()


def test_without_a_filter_nobody_is_ended(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        with daemon.client() as client:
            client.send(b"hello\n").read_line()
            for query in ("", "?", "?listner=web", "?listener=", "?listener=web&listener=web", "?limit=1"):
                assert api.ask("DELETE", f"/api/v1/sessions{query}").status == 400, query
            assert client.send(b"again\n").read_line()


def test_it_is_explained_which_server_a_client_would_get(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        _daemon, api = with_api(start, tmp_path, config(entry(one, "one"), entry(two, "two", ', state = "drain"')))
        told = api.get("explain?listener=web&client=10.0.0.7")
        assert {answer["server"] for answer in told["answers"]} == {"web/one"}
        assert [(server["name"], server["takes"]) for server in told["servers"]] == [("one", True), ("two", False)]
        for query, status in {
            "": 400,
            "?listener=web": 400,
            "?listener=web&client=x": 400,
            "?listener=x&client=::1": 404,
        }.items():
            assert api.ask("GET", f"/api/v1/explain{query}").status == status, query


# Changes of servers


def test_a_drained_server_is_given_nothing_new_within_100_ms(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one"), entry(two, "two")))
        address = daemon.address()
        assert set(answers(address)) == {"one", "two"}
        for _ in range(5):
            server = api.change("web", "two", state="drain")
            begun = time.monotonic()
            assert (server["state"], server["serving"], server["why"]) == ("drain", False, "drain, by the operator")
            while time.monotonic() < begun + 0.1:
                pass
            assert answers(address) == {"one": 12}
            server = api.change("web", "two", state="ready")
            assert server["wishes"] == {"state": "ready"}
            wait_until("two serves again", lambda: set(answers(address)) == {"one", "two"}, 0.1)


def test_a_change_outlives_reload_and_control_until_the_file_changes(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one"), entry(two, "two")))
        api.change("web", "two", state="drain", weight=5, max_sessions=7)
        daemon.reload()
        told = api.get("upstreams/web")["servers"][1]
        assert told["wishes"] == {"state": "drain", "weight": 5, "max_sessions": 7}
        assert (told["weight"], told["max_sessions"]) == (5, 7)
        daemon.reload(config(entry(one, "one"), entry(two, "two", ", weight = 3")))
        told = api.get("upstreams/web")["servers"][1]
        assert told["wishes"] == {"state": "drain", "max_sessions": 7}
        assert told["weight"] == 3
        assert api.change("web", "two", state=None, max_sessions=None)["wishes"] == {}
        assert set(answers(daemon.address("web"))) == {"one", "two"}
        log = daemon.log()
        assert re.search(r"server web/two: state drain, weight 5, max_sessions 7 \(by root, uid 0, pid \d+\)", log)
        assert "server web/two: state as in the file, max_sessions as in the file (by root" in log


def test_a_server_in_maint_is_not_checked(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        check = 'check = { type = "tcp", interval = "50ms" }'
        _daemon, api = with_api(start, tmp_path, config(entry(one, "one"), more=check))

        def checks() -> int:
            good: int = api.get("upstreams/web")["servers"][0]["checks"]["good"]
            return good

        api.change("web", "one", state="maint")
        before = checks()
        time.sleep(0.3)
        assert checks() <= before + 1, "one may have been under way"
        api.change("web", "one", state=None)
        wait_until("it is checked again", lambda: checks() > before + 2)


def test_servers_are_named_by_whatever_the_file_calls_them(start: Start, tmp_path: Path) -> None:
    servers = [f"unix:{tmp_path}/x", "[::1]:9", "127.0.0.1:9", "10.0.0.1"]
    toml = config(*(f'"{server}"' for server in servers[:3]), '{ address = "127.0.0.1:10", name = "a/b?c#d%20" }')
    _daemon, api = with_api(start, tmp_path, toml)
    for name in (*servers[:3], "a/b?c#d%20"):
        server = api.change("web", quote(name, safe=""), weight=9)
        assert (server["name"], server["weight"]) == (name, 9)


def test_by_the_name_of_an_entry_all_its_addresses_are_changed(start: Start, tmp_path: Path) -> None:
    toml = config('{ address = "localhost:9", name = "db" }')
    _daemon, api = with_api(start, tmp_path, toml)
    wait_until("it has an address", lambda: api.get("upstreams/web")["servers"][0]["address"] != "localhost:9")
    server = api.change("web", "db", state="drain")
    assert (server["name"], server["state"]) == ("db#1", "drain")
    assert all(each["state"] == "drain" for each in api.get("upstreams/web")["servers"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"state=drain", "not JSON"),
        (b"[" * 60000, "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "must be a JSON object"),
        (b'{"stat": "drain"}', "stat: cannot be changed; did you mean 'state'?"),
        (b'{"name": "x"}', "name: cannot be changed"),
        (b'{"state": "drained"}', "state: must be ready, drain or maint, not 'drained'"),
        (b'{"state": 1}', "state: must be ready, drain or maint, not 1"),
        (b'{"state": {"a": 1}}', "state: must be ready, drain or maint, not a table"),
        (b'{"weight": 0}', "weight: must be a whole number from 1 to 65535, not 0"),
        (b'{"weight": true}', "weight: must be a whole number from 1 to 65535, not true"),
        (b'{"weight": 1.5}', "weight: must be a whole number from 1 to 65535, not 1.5"),
        (b'{"weight": NaN}', "weight: must be a whole number from 1 to 65535, not nan"),
        (b'{"max_sessions": -1}', "max_sessions: must be a whole number from 0"),
        (b'{"state": "drain", "weight": 99999}', "weight: must be a whole number"),
    ],
)
def test_a_wrong_change_changes_nothing_and_is_told_why(start: Start, tmp_path: Path, body: bytes, said: str) -> None:
    daemon, api = with_api(start, tmp_path, config('"127.0.0.1:9"'))
    reply = api.ask("PATCH", "/api/v1/upstreams/web/servers/127.0.0.1%3A9", body)
    assert reply.status == 400
    assert said in reply.error
    assert api.get("upstreams/web")["servers"][0]["wishes"] == {}
    daemon.check_log()


# Changes of the whole


def test_a_reload_is_begun_or_refused_with_every_problem(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        daemon.write(config(entry(two, "two")))
        reply = api.ask("POST", "/api/v1/reload")
        assert (reply.status, reply.json) == (202, {"reload": "begun"})
        again = api.ask("POST", "/api/v1/reload")
        assert again.status == 202, "while one is under way, another one is meant"
        wait_until("it has come about", lambda: api.get("status")["generation"] == 3)
        assert ask(daemon.address("web")) == "two"
        daemon.write("[main]\nworkres = 2\nuser = 7\n")
        reply = api.ask("POST", "/api/v1/reload")
        assert reply.status == 409
        assert "main.workres: no such key; did you mean 'workers'?" in reply.error
        assert len(reply.json["problems"]) == 2
        changes = api.get("status")["reloads"]
        assert [(change["what"], change["result"], change["generation"]) for change in changes] == [
            ("reload", "failure", 3),
            ("reload", "success", 3),
            ("reload", "success", 2),
            ("start", "success", 1),
        ]
        assert changes[0]["message"] == reply.error


def test_the_log_is_opened_anew(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "log"
    daemon, api = with_api(start, tmp_path, f'[log]\nerror = "{log}"\n{config(repr("127.0.0.1:9"))}')
    log.rename(tmp_path / "old")
    reply = api.ask("POST", "/api/v1/reopen")
    assert (reply.status, reply.json) == (200, {"reopened": True})
    assert "log file reopened" in log.read_text()
    log.unlink()
    log.mkdir()
    reply = api.ask("POST", "/api/v1/reopen")
    assert reply.status == 409
    assert "cannot open the log" in reply.error
    log.rmdir()
    daemon.kill()


def test_quit_stops_gracefully(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        with daemon.client() as client:
            client.send(b"hello\n").read_line()
            reply = api.ask("POST", "/api/v1/quit")
            assert (reply.status, reply.json) == (202, {"quit": "begun"})
            daemon.wait_log("stopping gracefully")
            assert client.send(b"again\n").read_line()
            assert api.ask("POST", "/api/v1/reload").error == "l4d is stopping"
        assert daemon.wait() == 0
        assert not (tmp_path / "l4d.sock").exists()


# Wrong requests


def test_every_error_is_json(start: Start, tmp_path: Path) -> None:
    daemon, api = with_api(start, tmp_path, config('"127.0.0.1:9"'))
    wrong = {
        ("GET", "/nowhere"): 404,
        ("GET", "/api/v1/upstreams/nope"): 404,
        ("PATCH", "/api/v1/upstreams/web/servers/nope"): 404,
        ("GET", "/api/v1/status?x=1"): 400,
        ("GET", "/api/v1/sessions?limit=0"): 400,
        ("GET", "/api/v1/sessions?limit=x"): 400,
        ("GET", "/api/v1/sessions?limit=100001"): 400,
        ("GET", "/api/v1/sessions?older=soon"): 400,
        ("DELETE", "/api/v1/sessions/xyz"): 400,
        ("GET", "/api/v1/reload"): 405,
        ("DELETE", "/api/v1/status"): 405,
        ("PUT", "/api/v1/status"): 405,
    }
    for (method, path), status in wrong.items():
        reply = api.ask(method, path, {"state": "drain"} if method == "PATCH" else None)
        assert reply.status == status, (method, path, reply.body)
        assert reply.error
    assert api.ask("GET", "/api/v1/reload").headers["Allow"] == "POST"
    assert api.ask("PATCH", "/api/v1/upstreams/web/servers/127.0.0.1%3A9", b"x" * 70000).status == 413
    assert daemon.log().count("a bug") == 0


def test_one_connection_serves_many_requests(start: Start, tmp_path: Path) -> None:
    _daemon, api = with_api(start, tmp_path, config('"127.0.0.1:9"'))
    connection = Connection(api.door)
    for _ in range(20):
        assert connection.ask("GET", "/api/v1/status").status == 200
        assert connection.ask("GET", "/nowhere").status == 404
    connection.close()


# Over TCP


def test_over_tcp_there_is_reading_alone(start: Start, tmp_path: Path) -> None:
    daemon, api = with_api(start, tmp_path, config('"127.0.0.1:9"'))
    tcp = over_tcp(daemon)
    assert tcp.get("upstreams") == api.get("upstreams")
    assert tcp.ask("HEAD", "/metrics").status == 200
    for method, path in (
        ("POST", "/api/v1/quit"),
        ("POST", "/api/v1/reload"),
        ("DELETE", "/api/v1/sessions?listener=web"),
        ("PATCH", "/api/v1/upstreams/web/servers/127.0.0.1%3A9"),
        ("OPTIONS", "/api/v1/status"),
        ("POST", "/nowhere"),
    ):
        reply = tcp.ask(method, path, {"state": "drain"} if method == "PATCH" else None)
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD"), path
    assert api.get("upstreams/web")["servers"][0]["wishes"] == {}


def test_over_tcp_only_those_who_are_allowed_are_answered(start: Start, tmp_path: Path) -> None:
    toml = config('"127.0.0.1:9"', admin='allow = ["10.0.0.0/8", "127.0.0.2"]')
    daemon, _api = with_api(start, tmp_path, toml)
    tcp = over_tcp(daemon)
    reply = tcp.ask("GET", "/api/v1/status")
    assert reply.status == 403
    assert reply.error == "[admin] allow has no network that you are in"
    assert tcp.ask("POST", "/api/v1/quit").status == 403
