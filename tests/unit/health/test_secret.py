"""Passwords: where they come from, and what is told of one that cannot be read."""

import os
import traceback
from pathlib import Path

import pytest

from l4d.errors import StartError
from l4d.health.secret import read_secret
from tests.kit.rights import NOBODY, needs_root
from tests.unit.health.making import make_check

SECRET = "hunter2"


def test_a_check_may_have_none() -> None:
    assert read_secret(make_check(), {}) is None


@pytest.mark.parametrize(("text", "secret"), [("a b \r\nmore\n", "a b "), ("x", "x"), ("", ""), ("\n", "")])
def test_a_file_has_it_on_its_first_line(tmp_path: Path, text: str, secret: str) -> None:
    (tmp_path / "password").write_bytes(text.encode())
    assert read_secret(make_check(password_file=str(tmp_path / "password")), {}) == secret


def test_a_variable_has_it_whole() -> None:
    assert read_secret(make_check(password_env="PASSWORD"), {"PASSWORD": "a b\n"}) == "a b\n"


def told(error: pytest.ExceptionInfo[StartError]) -> str:
    """All that could be printed of it."""
    return "".join(traceback.format_exception(error.value))


def test_what_cannot_be_read_is_told_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^password_env: there is no PASSWORD in the environment$"):
        read_secret(make_check(password_env="PASSWORD"), {})
    with pytest.raises(StartError, match=rf"^password_file: {tmp_path}/absent: no such file or directory$"):
        read_secret(make_check(password_file=f"{tmp_path}/absent"), {})
    with pytest.raises(StartError, match=rf"^password_file: {tmp_path}: is a directory$"):
        read_secret(make_check(password_file=str(tmp_path)), {})


def test_a_file_that_is_no_text_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"hunter\xff2")
    with pytest.raises(StartError) as error:
        read_secret(make_check(password_file=str(tmp_path / "password")), {})
    assert str(error.value) == f"password_file: {tmp_path}/password: is not UTF-8 text"
    assert "0xff" not in told(error).replace(str(tmp_path), "")


@needs_root
def test_a_file_may_be_roots_alone(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(SECRET)
    (tmp_path / "password").chmod(0o600)
    tmp_path.chmod(0o755)
    assert read_secret(make_check(password_file=str(tmp_path / "password")), {}) == SECRET
    os.seteuid(NOBODY)
    try:
        with pytest.raises(StartError, match="permission denied"):
            read_secret(make_check(password_file=str(tmp_path / "password")), {})
    finally:
        os.seteuid(0)
