"""The way from a file's name to a complete configuration."""

from pathlib import Path

import pytest

from l4d.address import Inet
from l4d.config.load import load
from l4d.config.model import Keepalive
from l4d.errors import StartError
from l4d.terms import Protocol, Relay, ServerState
from tests.unit.config.helpers import SERVED, loaded, refused


def test_a_configuration_is_complete(tmp_path: Path) -> None:
    config = loaded(tmp_path, SERVED)
    web = config.listeners["web"]
    assert (web.name, web.bind, web.addresses) == ("web", ("127.0.0.1:80",), (Inet("127.0.0.1", 80),))
    assert (web.protocol, web.relay, web.keepalive) == (Protocol.TCP, Relay.AUTO, Keepalive(enabled=True))
    (server,) = config.upstreams["web"].servers
    assert (server.name, server.address, server.weight) == ("10.0.0.1:80", Inet("10.0.0.1", 80), 1)
    assert server.state is ServerState.READY
    assert config.main.workers == 0
    assert config.files == (str(tmp_path / "l4d.toml"),)


def test_an_empty_file_is_a_configuration_that_serves_nobody(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").listeners == {}


def test_every_problem_is_told_at_once_with_line_and_way_out(tmp_path: Path) -> None:
    text = """\
[main]
workers = true
handover = true

[listeners.pg]
upstrem = "pg"
bind = "127.0.0.1:5432"

[listeners.db]
bind = "127.0.0.1:5432"
upstream = "db"

[upstreams.db]
servers = ["10.0.0.1:5432", "10.0.0.2"]
balance = "hash"
"""
    clash = "127.0.0.1:5432 (tcp) is bound twice; first by listeners.pg.bind[0] at l4d.toml:7"
    assert refused(tmp_path, text, ["log.level=debgu", "main.user"]) == [
        'l4d.toml:2: main.workers: must be "auto" or a whole number from 1 to 500, not true',
        "l4d.toml:3: main.handover: not available in this version",
        "l4d.toml:6: listeners.pg.upstrem: no such key; did you mean 'upstream'?",
        f"l4d.toml:10: listeners.db.bind[0]: {clash}",
        "l4d.toml:14: upstreams.db.servers[1]: '10.0.0.2' has no port; write it as '10.0.0.2:5432'",
        "l4d.toml:15: upstreams.db.balance: 'hash' is not available in this version; must be round_robin",
        "--set: 'main.user' is not KEY=VALUE, as in main.workers=2",
        "--set: log.level: must be error, warning, info or debug, not 'debgu'",
    ]


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
