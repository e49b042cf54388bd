"""Each type of check has its probe, and loads no more than that."""

import subprocess
import sys

import pytest

from l4d.health.make import make_probe
from l4d.terms import CheckType
from tests.unit.health.making import make_check

LARGE = {"aiohttp", "aiomysql", "asyncpg", "dns", "redis", "ssl"}
NEEDED = {
    CheckType.TLS: {"ssl"},
    CheckType.HTTP: {"aiohttp", "ssl"},
    CheckType.DNS: {"dns"},
}


@pytest.mark.parametrize("kind", [kind for kind in CheckType if kind is not CheckType.OFF])
def test_every_type_has_a_probe(kind: CheckType) -> None:
    for user in ("", "l4d"):
        probe = make_probe(make_check(kind, user=user, command=("true",)))
        assert callable(probe.ask)


def loaded(*kinds: CheckType) -> set[str]:
    """The large libraries that a process has which makes probes of *kinds*, beside those asyncio has itself."""
    program = f"""
import asyncio, sys
before = set(sys.modules)
import l4d.health.checker
from l4d.health.make import make_probe
from l4d.terms import CheckType
from tests.unit.health.making import make_check
for name in {[kind.name for kind in kinds]}:
    make_probe(make_check(CheckType[name], command=("true",)))
print(*(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return LARGE & set(done.stdout.split())


def test_the_small_ones_load_nothing_large() -> None:
    others = [kind for kind in CheckType if kind not in NEEDED and kind is not CheckType.OFF]
    assert loaded(*others) == set()


@pytest.mark.parametrize("kind", NEEDED)
def test_each_loads_its_own(kind: CheckType) -> None:
    assert loaded(kind) <= NEEDED[kind] | {"ssl"}
    assert loaded(kind) >= NEEDED[kind] - {"ssl"}  # asyncio loads that one before us
