"""A stand-in for the admin socket, and a command that is run in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from l4d.cli.main import main
from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin

Typed: TypeAlias = Callable[..., tuple[int, str, str]]
"""Types a command: its status, and what it wrote to standard output and standard error."""


@pytest.fixture
def l4d(tmp_path: Path) -> Iterator[FakeAdmin]:
    with FakeAdmin(tmp_path, documents.everything()) as admin:
        yield admin


@pytest.fixture
def typed(l4d: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> Typed:
    def typed(*words: str) -> tuple[int, str, str]:
        status = main([words[0], "--socket", str(l4d.path), *words[1:]])
        return status, *capsys.readouterr()

    return typed
