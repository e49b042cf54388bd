"""drain, ready, maint, weight and kill of a running l4d: what the next clients get, and what outlives a reload."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.kit import Client, Daemon, Echo, Start, ask, wait_until
from tests.kit.commanding import answered, lines, said, told, typed


def _toml(folder: Path, *servers: str, weight: int = 1) -> str:
    members = ", ".join(f'{{ address = "{server}", weight = {weight} }}' for server in servers)
    return f"""
{answered(folder)}
[listeners.web]
bind = "127.0.0.1:0"
upstream = "web"
[upstreams.web]
servers = [{members}]
"""


def _asked(daemon: Daemon, times: int = 12) -> Counter[str]:
    return Counter(ask(daemon.address()) for _ in range(times))


def test_a_drained_server_gets_nothing_new_and_keeps_what_lives(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(_toml(tmp_path, str(one.address), str(two.address)))
        with Client(daemon.address()) as client:
            name = client.send(b"?\n").read_line().split()[0].decode()
            mine = f"web/{(one if name == 'one' else two).address}"
            [row] = lines(daemon, "drain", mine)
            assert row[0] == mine and row[2] == "drain"
            assert name not in _asked(daemon)
            assert client.send(b"?\n").read_line().startswith(name.encode())
        assert told(daemon, "ready", mine)["servers"][0]["state"] == "ready"
        assert set(_asked(daemon)) == {"one", "two"}


def test_several_servers_at_once_and_one_that_is_not_there(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(_toml(tmp_path, str(one.address), str(two.address)))
        ended = typed(daemon, "maint", f"web/{one.address}", "web/three", "wbe/one", f"web/{two.address}")
        assert ended.returncode == 1
        assert [line.split(": ")[1] for line in ended.stderr.splitlines()] == ["web/three", "wbe/one"]
        assert [server["state"] for server in told(daemon, "servers", "web")["servers"]] == ["maint", "maint"]


def test_a_server_on_a_unix_socket_can_be_named(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon = start(_toml(tmp_path, str(one.address), f"unix:{tmp_path}/x.sock"))
        [row] = lines(daemon, "drain", f"web/unix:{tmp_path}/x.sock")
        assert row[2] == "drain"


def test_a_weight_decides_at_once_and_outlives_reloads_until_the_file_changes(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        servers = str(one.address), str(two.address)
        daemon = start(f"main.workers = 1\n{_toml(tmp_path, *servers)}")
        assert "operator: weight 3" in said(daemon, "weight", f"web/{one.address}", "3")
        assert _asked(daemon) == {"one": 9, "two": 3}
        daemon.hand_over()
        assert _asked(daemon) == {"one": 9, "two": 3}
        daemon.hand_over(f"main.workers = 1\n{_toml(tmp_path, *servers, weight=2)}")
        assert _asked(daemon) == {"one": 6, "two": 6}
        said(daemon, "weight", f"web/{one.address}", "10")
        assert "operator" not in said(daemon, "weight", f"web/{one.address}", "file")
        assert _asked(daemon) == {"one": 6, "two": 6}


def test_kill_ends_those_that_are_meant(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(_toml(tmp_path, str(one.address), str(two.address)) + '[log]\nlevel = "debug"\n')
        clients = [Client(daemon.address()) for _ in range(8)]
        served = {client: client.send(b"?\n").read_line().split()[0] for client in clients}
        ones = [client for client in clients if served[client] == b"one"]
        others = [client for client in clients if served[client] == b"two"]
        assert said(daemon, "kill", "--server", f"web/{one.address}", "--yes") == f"{len(ones)} sessions killed\n"
        assert all(client.is_reset() or client.waiting() == 0 for client in ones)
        assert all(client.send(b"?\n").read_line() == b"two ?\n" for client in others)
        daemon.wait_log("end=KD", times=len(ones))
        [session, *_] = told(daemon, "sessions")["sessions"]
        assert said(daemon, "kill", session["id"], "--yes") == "1 session killed\n"
        wait_until("it is gone", lambda: told(daemon, "sessions")["total"] == len(others) - 1)
        ended = typed(daemon, "kill", session["id"], "--yes")
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
        for client in clients:
            client.close()


def test_a_client_gets_what_explain_has_said(start: Start, tmp_path: Path) -> None:
    """That it is so with every balance: tests/integration/test_explain.py."""
    with ExitStack() as stack:
        named = {f"web/{stack.enter_context(Echo(name)).address}": name for name in ("a", "b", "c")}
        toml = _toml(tmp_path, *(server.removeprefix("web/") for server in named)) + 'balance = "least_conn"\n'
        daemon = start(f"main.workers = 1\n{toml}")
        said(daemon, "drain", next(iter(named)))
        for _ in range(3):
            explained = told(daemon, "explain", "web", "127.0.0.1")
            [chosen] = {answer["server"] for answer in explained["answers"]}
            assert explained["certain"], explained
            client = stack.enter_context(Client(daemon.address()))
            assert client.send(b"?\n").read_line().split()[0].decode() == named[chosen]
        sentence, _, _, *servers = said(daemon, "explain", "web", "127.0.0.1").splitlines()
        assert sentence.startswith("127.0.0.1 of listener web gets web/")
        assert [line.split()[2] for line in servers] == ["no", "yes", "yes"], servers
        assert "drain, by the operator" in servers[0]


def test_explain_of_nothing_is_one_line(start: Start, tmp_path: Path) -> None:
    daemon = start(_toml(tmp_path, "127.0.0.1:9"))
    for words, status in ((("wbe", "1.2.3.4"), 1), (("web", "nobody"), 2)):
        ended = typed(daemon, "explain", *words)
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (status, "", 1)
