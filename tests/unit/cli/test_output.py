"""Where data and messages go when nobody takes them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from l4d.cli.output import complain, say
from l4d.errors import StartError


def test_data_and_messages_go_their_own_ways(capsys: pytest.CaptureFixture[str]) -> None:
    say("data\n")
    complain("message")
    assert capsys.readouterr() == ("data\n", "message\n")


def test_a_reader_who_left_is_no_mishap(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(BrokenPipeError):
            say("data\n")
        stdout.flush()  # what the interpreter does at its end, in peace


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(StartError, match="writing to standard output: No space left on device"):
            say("data\n")
        stdout.flush()


def test_without_standard_output_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(StartError, match="standard output is closed"):
        say("data\n")


def test_without_standard_error_messages_are_dropped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stderr", None)
        complain("message")
    assert capsys.readouterr() == ("", "")
    with _full_stderr(monkeypatch):
        complain("message")


@contextmanager
def _full_stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as full, open("/dev/full", "wb", buffering=0) as device:
        full.setattr(sys, "stderr", _Unbuffered(device.fileno()))
        yield


class _Unbuffered:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, text: str) -> int:
        return os.write(self._fd, text.encode())
