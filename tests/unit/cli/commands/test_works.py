"""Which function does which command."""

import subprocess
import sys

import pytest

from l4d.cli.commands.catalogue import COMMANDS
from l4d.cli.commands.works import work_of
from tests.kit.command import environment

WITH_TABLES = [command.name for command in COMMANDS.values() if not command.hidden]

IMPORTED = """
import sys
from l4d.cli.commands.works import work_of
work_of("status")
print(*sorted(sys.modules))
"""


@pytest.mark.parametrize("command", WITH_TABLES)
def test_every_command_is_done_by_the_function_of_its_name(command: str) -> None:
    assert work_of(command).__name__ == command


def test_who_asks_for_the_status_does_not_wait_for_a_schema() -> None:
    line = [sys.executable, "-c", IMPORTED]
    imported = subprocess.run(line, env=environment(), capture_output=True, text=True, check=True).stdout.split()
    assert "l4d.cli.commands.status" in imported
    assert "l4d.config.schema" not in imported
