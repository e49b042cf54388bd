"""What `-s` says when the running l4d cannot be told. How it tells one: tests/integration/test_command.py."""

import os
import signal
from pathlib import Path

import pytest

from l4d.cli import signals
from l4d.cli.options import Signal
from l4d.errors import ConfigError, StartError


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration whose pid file, as it seems, is held by pid 77."""
    path = tmp_path / "l4d.toml"
    path.write_text('main.pid_file = "/run/l4d.pid"\n')
    monkeypatch.setattr(signals, "find_running", {"/run/l4d.pid": 77}.__getitem__)
    return str(path)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (Signal.STOP, signal.SIGTERM),
        (Signal.QUIT, signal.SIGQUIT),
        (Signal.RELOAD, signal.SIGHUP),
        (Signal.REOPEN, signal.SIGUSR1),
    ],
)
def test_each_word_is_a_signal(wanted: Signal, number: int, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *what: sent.append(what))
    signals.send(wanted, config)
    assert sent == [(77, number)]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (ProcessLookupError(), "no l4d is running: pid 77 has just ended"),
        (PermissionError(), "telling pid 77 to reload: it belongs to another user"),
    ],
)
def test_one_that_cannot_be_told_is_named(
    refusal: OSError, words: str, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pid: int, _number: int) -> None:
        raise refusal

    monkeypatch.setattr(os, "kill", refuse)
    with pytest.raises(StartError, match=words):
        signals.send(Signal.RELOAD, config)


def test_a_wrong_configuration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "l4d.toml"
    path.write_text("main.pid = 1\n")
    with pytest.raises(ConfigError):
        signals.send(Signal.STOP, str(path))
