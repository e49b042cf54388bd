"""`l4d names`, which the shells ask."""

from pathlib import Path

import pytest

from l4d.cli.main import main
from tests.unit.cli.commands.conftest import Typed


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("listener", "db\n"),
        ("upstream", "pg\n"),
        ("server", "pg/one\npg/two\n"),
        ("session", "00000000000000a1\n"),
        ("colour", ""),
    ],
)
def test_each_name_is_a_line(kind: str, names: str, typed: Typed) -> None:
    assert typed("names", kind) == (0, names, "")


def test_whatever_is_wrong_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "l4d.toml").write_text("[")
    assert main(["names", "server", "--socket", f"{tmp_path}/x"]) == 1
    assert main(["names", "server", "-c", f"{tmp_path}/l4d.toml"]) == 1
    assert main(["names", "server", "-c", f"{tmp_path}/nothing"]) == 1
    assert capsys.readouterr() == ("", "")
