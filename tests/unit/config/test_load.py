"""The way from a file's name to a complete configuration."""

from pathlib import Path

import pytest

from l4d.address import Host, Inet, Srv, Unix
from l4d.config.load import load
from l4d.config.model import SEATS, Keepalive, Resolver
from l4d.errors import StartError
from l4d.terms import CheckType, HashKey, Protocol, Relay, ServerState
from tests.unit.config.helpers import SERVED, loaded, refused


def test_a_configuration_is_complete(tmp_path: Path) -> None:
    config = loaded(tmp_path, SERVED)
    web = config.listeners["web"]
    assert (web.name, web.bind, web.addresses) == ("web", ("127.0.0.1:80",), (Inet("127.0.0.1", 80),))
    assert (web.protocol, web.relay, web.keepalive) == (Protocol.TCP, Relay.AUTO, Keepalive(enabled=True))
    (server,) = config.upstreams["web"].servers
    assert (server.name, server.address, server.weight) == ("10.0.0.1:80", Inet("10.0.0.1", 80), 1)
    assert (server.state, server.max_sessions, server.named) == (ServerState.READY, 0, False)
    assert config.upstreams["web"].check.type is CheckType.OFF
    assert config.upstreams["web"].hash_key == (HashKey.CLIENT,)
    assert config.resolver == Resolver((), 2, 1, 60)
    assert config.main.workers == 0
    assert config.files == (str(tmp_path / "l4d.toml"),)


def test_an_empty_file_is_a_configuration_that_serves_nobody(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").listeners == {}


def test_every_problem_is_told_at_once_with_line_and_way_out(tmp_path: Path) -> None:
    text = """\
[main]
workers = true
access = true

[listeners.pg]
upstrem = "pg"
bind = "127.0.0.1:5432"

[listeners.db]
bind = "127.0.0.1:5432"
upstream = "db"

[upstreams.db]
servers = ["10.0.0.1:5432", "10.0.0.2"]
balance = "hsah"
check = { type = "http", port = 0x10000, send = "x" }
on_down = "kill"
"""
    balances = "round_robin, least_conn, random, hash, first or least_time"
    clash = "127.0.0.1:5432 (tcp) is bound twice; first by listeners.pg.bind[0] at l4d.toml:7"
    assert refused(tmp_path, text, ["log.level=debgu", "main.user"]) == [
        'l4d.toml:2: main.workers: must be "auto" or a whole number from 1 to 500, not true',
        "l4d.toml:3: main.access: no such key here; 'access' belongs to [log]",
        "l4d.toml:6: listeners.pg.upstrem: no such key; did you mean 'upstream'?",
        f"l4d.toml:10: listeners.db.bind[0]: {clash}",
        "l4d.toml:14: upstreams.db.servers[1]: '10.0.0.2' has no port; write it as '10.0.0.2:5432'",
        f"l4d.toml:15: upstreams.db.balance: must be {balances}, not 'hsah'",
        "l4d.toml:16: upstreams.db.check.port: must be a whole number from 0 to 65535, not 65536",
        "l4d.toml:16: upstreams.db.check.send: is for checks of type send_expect, udp or agent; this one is http",
        "l4d.toml:17: upstreams.db.on_down: must be keep or close, not 'kill'",
        "--set: 'main.user' is not KEY=VALUE, as in main.workers=2",
        "--set: log.level: must be error, warning, info or debug, not 'debgu'",
    ]


def test_a_server_given_by_name_stands_for_many(tmp_path: Path) -> None:
    text = SERVED.replace('"10.0.0.1:80"', '["WEB.example:80", { srv = "_web._tcp.example", name = "s", weight = 3 }]')
    host, srv = loaded(tmp_path, text).upstreams["web"].servers
    assert (host.name, host.address, host.named) == ("WEB.example:80", Host("web.example", 80), True)
    assert host.seats == tuple(f"WEB.example:80#{number}" for number in range(1, SEATS + 1))
    assert (srv.name, srv.address, srv.weight, srv.seats[-1]) == ("s", Srv("_web._tcp.example"), 3, f"s#{SEATS}")


def test_what_the_admin_api_answers_at_is_no_listeners(tmp_path: Path) -> None:
    text = """\
[admin]
socket = "/run/l4d.sock"
listen = "127.0.0.1:80"
allow = "10.0.0.0/8"
[listeners.web]
bind = ["unix:/run/l4d.sock", "127.0.0.1:80", "127.0.0.1:81"]
upstream = "web"
[upstreams.web]
servers = "10.0.0.1:80"
"""
    assert refused(tmp_path, text) == [
        (
            "l4d.toml:6: listeners.web.bind[0]: unix:/run/l4d.sock (tcp) is bound twice; "
            "first by admin.socket at l4d.toml:2"
        ),
        "l4d.toml:6: listeners.web.bind[1]: 127.0.0.1:80 (tcp) is bound twice; first by admin.listen at l4d.toml:3",
    ]
    admin = loaded(
        tmp_path, text.replace("127.0.0.1:80", "127.0.0.1:0").replace("/run/l4d.sock", "/run/x.sock", 1)
    ).admin
    assert admin.addresses == (Unix("/run/x.sock"), Inet("127.0.0.1", 0))
    assert [str(network) for network in admin.allow] == ["10.0.0.0/8"]
    assert loaded(tmp_path, SERVED).admin.addresses == ()


@pytest.mark.parametrize(
    "check", ['check = "tcp"', 'check = { type = "tcp" }', 'check.type = "tcp"', '[upstreams.web.check]\ntype = "tcp"']
)
def test_a_check_can_be_a_word_or_a_table(tmp_path: Path, check: str) -> None:
    found = loaded(tmp_path, f"{SERVED}{check}\n").upstreams["web"].check
    assert (found.type, found.interval, found.timeout, found.fall, found.rise) == (CheckType.TCP, 2, 1, 3, 2)


def test_a_key_of_a_check_can_be_set(tmp_path: Path) -> None:
    text = SERVED + '[upstreams.web.check]\ntype = "http"\npath = "/x"\n'
    found = loaded(tmp_path, text, ["upstreams.web.check.interval=1s"]).upstreams["web"].check
    assert (found.interval, found.path) == (1, "/x")
    assert loaded(tmp_path, text, ["upstreams.web.check.type=off"]).upstreams["web"].check.type is CheckType.OFF
    (problem,) = refused(tmp_path, SERVED, ["upstreams.web.check.interval=1s"])
    assert problem.startswith("--set: upstreams.web.check: has no 'type': off, tcp, ")


def test_set_comes_before_what_the_file_says(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, SERVED, ["main.workers=2", "listeners.web.idle_timeout=5s", "defaults.listeners.backlog=9"]
    )
    assert config.main.workers == 2
    assert (config.listeners["web"].idle_timeout, config.listeners["web"].backlog) == (5, 9)


def test_a_file_that_cannot_be_read_is_not_the_operators_mistake_in_it() -> None:
    with pytest.raises(StartError, match=r"^cannot read l4d\.toml: No such file or directory$"):
        load("l4d.toml")


def test_problems_in_included_files_name_that_file(tmp_path: Path) -> None:
    (tmp_path / "web.toml").write_text(SERVED + "tries = -1\n", encoding="utf-8")
    assert refused(tmp_path, 'include = "w*.toml"\n' + SERVED) == [
        "web.toml:2: listeners.web: is defined twice; first at l4d.toml:3",
        "web.toml:5: upstreams.web: is defined twice; first at l4d.toml:6",
    ]
