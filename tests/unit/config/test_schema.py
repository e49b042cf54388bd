"""The tables of keys hold together: with the model, with each other, with what they say."""

from dataclasses import fields

import pytest

from l4d.config.kinds import Section
from l4d.config.model import Keepalive, Listener, Log, Main, Server, Upstream
from l4d.config.reading import defaults, read_value
from l4d.config.schema import KEEPALIVE, LISTENER, LOG, MAIN, SECTIONS, SERVER, UPSTREAM
from l4d.terms import Protocol
from tests.unit.config.helpers import document, problems_of

DERIVED = {Listener: {"name", "addresses"}, Upstream: {"name"}, Keepalive: {"enabled"}}


@pytest.mark.parametrize(
    ("section", "model"),
    [(MAIN, Main), (LOG, Log), (LISTENER, Listener), (UPSTREAM, Upstream), (SERVER, Server), (KEEPALIVE, Keepalive)],
)
def test_every_key_is_a_field_and_every_field_a_key(section: Section, model: type) -> None:
    assert {field.name for field in fields(model)} - DERIVED.get(model, set()) == set(section.keys)


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
