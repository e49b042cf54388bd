"""However a child's life goes, its process ends, with a status that says how it went."""

import errno
import os
from collections.abc import Callable
from typing import NoReturn

import pytest

from l4d.child.life import live
from l4d.log.log import Log
from l4d.terms import Level
from tests.unit.making import Lines


class EndedError(BaseException):
    """Stands in for the end of the process."""


def lived(monkeypatch: pytest.MonkeyPatch, life: Callable[[], int]) -> tuple[int, list[str]]:
    """The exit status, and what was told."""
    sink = Lines()

    def end(status: int) -> NoReturn:
        raise EndedError(status)

    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(EndedError) as ended:
        live(Log(sink, Level.DEBUG, "a child"), "a child", life)
    assert all(level is Level.ERROR for level, _text in sink.taken)
    return ended.value.args[0], sink.texts


@pytest.mark.parametrize("status", [0, 1, 7])
def test_a_life_says_itself_how_it_went(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    assert lived(monkeypatch, lambda: status) == (status, [])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ProcessLookupError(None, "the master is gone"), "cannot work: the master is gone"),
        (PermissionError(errno.EPERM, "operation not permitted"), "cannot work: operation not permitted"),
        (OSError("no place"), "cannot work: no place"),
    ],
)
def test_what_the_system_refuses_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch, error: OSError, words: str) -> None:
    assert lived(monkeypatch, lambda: fail(error)) == (1, [words])


def test_a_mistake_of_ours_is_told_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    status, [text] = lived(monkeypatch, lambda: fail(KeyError("mistake")))
    assert status == 1
    assert text.startswith("a bug in a child, please report it:\nTraceback")
    assert "KeyError: 'mistake'" in text


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(0)])
def test_there_is_no_other_way_out(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    assert lived(monkeypatch, lambda: fail(error)) == (1, [])


def fail(error: BaseException) -> NoReturn:
    raise error
