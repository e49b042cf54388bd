"""The tables of keys hold together: with the model, with each other, with what they say."""

from dataclasses import fields

import pytest

from l4d.address import Inet, Srv
from l4d.config.checks import CHECK
from l4d.config.kinds import Section
from l4d.config.model import Admin, Check, Keepalive, Listener, Log, Main, Resolver, Server, Upstream
from l4d.config.reading import defaults, read_value
from l4d.config.schema import ADMIN, KEEPALIVE, LISTENER, LOG, MAIN, RESOLVER, SECTIONS, SERVER, UPSTREAM
from l4d.terms import Protocol
from tests.unit.config.helpers import document, problems_of

DERIVED = {Listener: {"name", "addresses"}, Upstream: {"name"}, Keepalive: {"enabled"}}


@pytest.mark.parametrize(
    ("section", "model"),
    [
        (MAIN, Main),
        (LOG, Log),
        (ADMIN, Admin),
        (RESOLVER, Resolver),
        (LISTENER, Listener),
        (UPSTREAM, Upstream),
        (SERVER, Server),
        (CHECK, Check),
        (KEEPALIVE, Keepalive),
    ],
)
def test_every_key_is_a_field_and_every_field_a_key(section: Section, model: type) -> None:
    keys = set(section.keys) - ({"srv"} if section is SERVER else set())  # its other way to have an address
    assert {field.name for field in fields(model)} - DERIVED.get(model, set()) == keys


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
@pytest.mark.parametrize("protocol", Protocol)
def test_every_default_is_one_an_operator_could_write(section: Section, protocol: Protocol) -> None:
    given = {name for name, key in section.keys.items() if key.default is not None}
    assert set(defaults(section, protocol)) == given


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_every_key_is_explained_on_one_line_and_none_is_both_here_and_later(section: Section) -> None:
    assert all(key.why and "\n" not in key.why for key in section.keys.values())
    assert not section.later & set(section.keys)


def test_a_server_is_named_after_its_address_as_written() -> None:
    [server] = read_value(UPSTREAM.keys["servers"].kind, "[::0:1]:80", (), document("").problems).values()
    assert server.name == "[::0:1]:80"
    assert str(server.address) == "[::1]:80"


def servers(value: object) -> tuple[list[Server], list[str]]:
    problems = document("").problems
    read = read_value(UPSTREAM.keys["servers"].kind, value, ("servers",), problems)
    return list(read.values()), [problem.removeprefix("a.toml: ") for problem in problems_of(problems)]


def test_a_server_has_an_address_or_is_the_target_of_an_srv_record() -> None:
    (ip, name, srv), problems = servers(
        ["1.2.3.4:5", {"address": "db.example:5", "name": "n"}, {"srv": "_a._tcp.example", "max_sessions": 3}]
    )
    assert problems == []
    assert (ip.name, ip.address, ip.seats) == ("1.2.3.4:5", Inet("1.2.3.4", 5), ("1.2.3.4:5",))
    assert (name.name, name.seats[1]) == ("n", "n#2")
    assert (srv.name, srv.address, srv.max_sessions) == ("_a._tcp.example", Srv("_a._tcp.example"), 3)


LONG = ".".join(["a" * 63, "b" * 63]) + ":1"


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (3, "servers[0]: must be a string, not 3"),
        ([], "servers[0]: must be a string, not a list"),
        ({"srv": 3}, "servers[0].srv: must be a string, not 3"),
        ({"srv": "a", "address": 3}, "servers[0].address: must be a string, not 3"),
        ({"srv": "a", "address": "1.2.3.4:5"}, "servers[0].srv: cannot be given beside 'address'"),
        ({"adress": "1.2.3.4:5"}, "servers[0].adress: no such key; did you mean 'address'?"),
        ({"weight": 1}, f"servers[0]: has no 'address': {SERVER.keys['address'].why}"),
        ({"srv": "a", "port": 3}, "servers[0].port: no such key here; 'port' belongs to [upstreams.*.check]"),
        (LONG, f"servers[0]: '{LONG[:79]}... is longer than 112 characters; give it a 'name'"),
        ({"srv": LONG[:-2]}, f"servers[0]: '{LONG[:79]}... is longer than 112 characters; give it a 'name'"),
    ],
)
def test_a_wrong_server_is_told_what_it_lacks(server: object, said: str) -> None:
    read, problems = servers([server])
    assert read == []
    assert said in problems


def test_a_server_with_a_long_name_gets_a_shorter_one() -> None:
    ((server,), problems) = servers([{"address": LONG, "name": "long"}])
    assert (server.name, problems) == ("long", [])


@pytest.mark.parametrize(
    ("value", "keepalive"),
    [
        (True, Keepalive(enabled=True)),
        (False, Keepalive(enabled=False)),
        ({}, Keepalive(enabled=True)),
        ({"idle": "60s", "count": 6}, Keepalive(enabled=True, idle=60, count=6)),
    ],
)
def test_keepalive_is_a_switch_or_a_table(value: object, keepalive: Keepalive) -> None:
    problems = document("").problems
    assert read_value(LISTENER.keys["keepalive"].kind, value, (), problems) == keepalive
    assert problems_of(problems) == []
