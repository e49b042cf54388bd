"""The versions, and what is said of the kernel."""

import os
import platform

import pytest

from l4d import __version__
from l4d.cli import versions
from l4d.loop import loop


def test_the_short_form_is_name_and_version() -> None:
    assert versions.short() == f"l4d {__version__}\n"


def test_the_long_form_names_python_and_the_kernel() -> None:
    text = versions.long()
    assert text.startswith(versions.short())
    assert platform.python_version() in text
    assert os.uname().release in text


def test_the_long_form_says_whether_the_data_path_is_compiled() -> None:
    compiled = not loop.__file__.endswith(".py")
    assert f"data path     {'compiled with mypyc' if compiled else 'interpreted'}\n" in versions.long()


def test_the_long_form_says_what_the_kernel_does_not_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    (line,) = [line for line in versions.long().splitlines() if "pidfd" in line]
    assert line.endswith("no: Function not implemented")
