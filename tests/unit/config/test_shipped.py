"""The files in conf/ are right: they load, and conf/l4d.toml says what the tables of keys say."""

import re
from pathlib import Path

import pytest

from l4d.config.checks import CHECK
from l4d.config.kinds import Key
from l4d.config.load import load
from l4d.config.schema import ADMIN, KEEPALIVE, LISTENER, LOG, MAIN, RESOLVER, SERVER, TOP, UPSTREAM
from l4d.config.toml import parse, written
from l4d.terms import CheckType, Protocol
from tests.unit.config.helpers import loaded

CONF = Path(__file__).parents[3] / "conf"
EXAMPLES = sorted((CONF / "examples").glob("*.toml"))
TEXT = (CONF / "l4d.toml").read_text(encoding="utf-8")
UNCOMMENTED = re.sub(r"^#(?! (?! {3}\S))", "", TEXT, flags=re.MULTILINE)
"""With every example line brought to life: those that have nothing, or four spaces, after the "#"."""


def lines_of(key: Key) -> list[str]:
    """The lines of the file that explain *key*."""
    return [line for line in UNCOMMENTED.splitlines() if re.fullmatch(rf"{key.name} = .*# {re.escape(key.why)}", line)]


def test_the_shipped_file_loads_and_serves_nobody() -> None:
    config = load(str(CONF / "l4d.toml"))
    assert not config.listeners
    assert not config.upstreams


def test_the_shipped_file_loads_with_every_example_brought_to_life(tmp_path: Path) -> None:
    config = loaded(tmp_path, UNCOMMENTED)
    assert list(config.listeners) == ["postgres", "dns"]
    assert list(config.upstreams) == ["pg", "dns"]
    assert config.upstreams["pg"].check.type is CheckType.TCP


@pytest.mark.parametrize(
    "key",
    [*TOP.keys.values(), *MAIN.keys.values(), *LOG.keys.values(), *ADMIN.keys.values(), *RESOLVER.keys.values()],
    ids=lambda key: key.name,
)
def test_every_key_stands_in_the_shipped_file_with_its_default(key: Key) -> None:
    (line,) = [line for line in lines_of(key) if line in TEXT.splitlines()]
    assert parse(line) == {key.name: key.default}


@pytest.mark.parametrize("key", [*LISTENER.keys.values(), *UPSTREAM.keys.values()], ids=lambda key: key.name)
def test_every_key_of_an_example_stands_there_with_its_default(key: Key) -> None:
    if key.required:
        assert f"\n#{key.name} = " in TEXT
        return
    line = lines_of(key)[0]
    assert parse(line) == {key.name: key.default_for(*(key.only[:1] or (Protocol.TCP,)))}


@pytest.mark.parametrize("key", [*KEEPALIVE.keys.values(), *SERVER.keys.values()], ids=lambda key: key.name)
def test_every_key_of_an_inline_table_is_explained(key: Key) -> None:
    assert re.search(rf"^# +{key.name} +{re.escape(key.why)}$", TEXT, re.MULTILINE)
    if key in SERVER.keys.values() and key.default is not None:
        assert f"{key.name} = {written(key.default)}" in TEXT


@pytest.mark.parametrize("key", CHECK.keys.values(), ids=lambda key: key.name)
def test_every_key_of_a_check_stands_among_those_of_its_types(key: Key) -> None:
    check = TEXT[TEXT.index("#[upstreams.pg.check]") :]
    (line,) = re.findall(rf"^#(?: {{5}})?({key.name} = .*# {re.escape(key.why)})$", check, re.MULTILINE)
    assert parse(line) == {key.name: key.default or "tcp" if key.required else key.default}
    headings = re.findall(r"^# (more of .*):$", check[: check.index(line)], re.MULTILINE)
    assert set(re.findall(r"[a-z_]+", headings[-1] if headings else "")) >= {str(one.value) for one in key.only}
    assert bool(headings) is bool(key.only)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_every_example_loads_and_serves_somebody(example: Path) -> None:
    config = load(str(example))
    assert config.listeners


def test_the_examples_of_the_manual_are_there() -> None:
    assert [example.stem for example in EXAMPLES] == [
        "database-by-client",
        "dns-udp",
        "docker-services",
        "postgresql-primary-replica",
        "postgresql",
        "tcp-round-robin",
        "udp-round-robin",
    ]
