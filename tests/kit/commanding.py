"""The commands of `l4d`, typed at a running one."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.kit.command import command
from tests.kit.daemon import Daemon


def typed(daemon: Daemon, *words: str) -> "subprocess.CompletedProcess[str]":
    """What came of a command; the socket is found by the configuration."""
    return command(*words, "-c", daemon.config)


def said(daemon: Daemon, *words: str) -> str:
    """What a command, which must succeed in peace, wrote to standard output."""
    ended = typed(daemon, *words)
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    return ended.stdout


def told(daemon: Daemon, *words: str) -> Any:
    """The document that a command prints for programs."""
    return json.loads(said(daemon, *words, "--json"))


def lines(daemon: Daemon, *words: str) -> list[list[str]]:
    """The words of each line that a command prints, without the first line, which has the titles."""
    return [line.split() for line in said(daemon, *words).splitlines()[1:]]


def answered(folder: Path) -> str:
    """The part of a configuration by which the running l4d is asked."""
    return f'[admin]\nsocket = "{folder}/admin.sock"\n'
