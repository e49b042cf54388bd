"""A short round of the chaos program, with everything in it; `make chaos` has the long ones."""

from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.options import Options
from tests.chaos.run import run
from tests.kit import needs

pytestmark = [needs("initdb", "postgres", "psql", "pgbench"), pytest.mark.slow]


@pytest.mark.timeout(180)
def test_whatever_happens_every_byte_and_datagram_is_accounted_for(tmp_path: Path) -> None:
    outcome = run(Options(seconds=20, seed=7), tmp_path, print)
    print(report.text(outcome))
    assert not outcome.differences
