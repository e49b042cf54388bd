"""Outside programs some tests want: psql, redis-server, iperf3.

    @needs("redis-server", "redis-cli")
    def test_...

Without the program such a test is skipped, and says which one is missing; with L4D_NO_SKIP=1 in the environment,
as in .ci/run, it fails instead, so that nothing is skipped unnoticed.
"""

import os
import shutil
from pathlib import Path

import pytest

needs = pytest.mark.needs
"""Marks a test, a class or (as `pytestmark`) a module as wanting the programs named."""


def find_program(name: str) -> str | None:
    """The path of an outside program, also where distributions hide daemons and PostgreSQL's tools from PATH."""
    postgresql = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", *map(str, postgresql)]
    return shutil.which(name, path=os.pathsep.join(places))


def require_programs(item: pytest.Item) -> None:
    """Skip *item*, or fail it, when a program it needs is missing."""
    wanted = [name for mark in item.iter_markers("needs") for name in mark.args]
    missing = [name for name in wanted if find_program(name) is None]
    if not missing:
        return
    reason = f"needs {', '.join(missing)}, not found on this machine"
    if os.environ.get("L4D_NO_SKIP") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
