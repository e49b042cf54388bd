"""Completion in the shells themselves, with the names of what a stand-in for l4d has."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.cli.commands.catalogue import COMMANDS
from tests.kit import documents, needs
from tests.kit.command import L4D, ROOT, environment
from tests.kit.fake_admin import FakeAdmin
from tests.kit.terminal import Terminal

FOLDER = ROOT / "packaging" / "completions"
_BASH = 'source "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _l4d; printf "%s\\n" "${COMPREPLY[@]}"'


@pytest.fixture
def l4d(tmp_path: Path) -> Iterator[FakeAdmin]:
    servers = [documents.server("one"), documents.server("unix:/run/x.sock"), documents.server("$(touch${IFS}evil)")]
    with FakeAdmin(tmp_path, documents.everything()) as admin:
        admin.answers["GET", "upstreams"] = {"upstreams": [documents.upstream("pg", *servers)]}
        yield admin


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the shells find `l4d`."""
    program = tmp_path / "l4d"
    program.write_text(f'#!/bin/sh\nexec {" ".join(L4D)} "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def bash(line: str, path: str, folder: Path) -> list[str]:
    return _ran(["bash", "--norc", "-c", _BASH, "bash", str(FOLDER / "l4d.bash"), line], path, folder)


def fish(line: str, path: str, folder: Path) -> list[str]:
    script = f"source {FOLDER / 'l4d.fish'}; complete -C $argv"
    found = _ran(["fish", "--no-config", "-c", script, line], path, folder)
    return [one.partition("\t")[0] for one in found]


def _ran(line: list[str], path: str, folder: Path) -> list[str]:
    home = {"PATH": path, "HOME": str(folder)}
    done = subprocess.run(
        line, env=environment() | home, cwd=folder, capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


SHELLS = [pytest.param(bash, id="bash", marks=needs("bash")), pytest.param(fish, id="fish", marks=needs("fish"))]


def test_they_are_what_the_parser_says() -> None:
    """`python packaging/completions/make.py` makes them."""
    made = "from make import MADE, HERE; print([n for n, m in MADE.items() if (HERE / n).read_text() != m()])"
    done = subprocess.run(
        [L4D[0], "-c", made], cwd=FOLDER, env=environment(), capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_options_and_words_are_completed(shell: object, path: str, tmp_path: Path) -> None:
    assert callable(shell)

    def completed(line: str) -> set[str]:
        return set(shell(line, path, tmp_path))

    assert completed("l4d ") >= {name for name, one in COMMANDS.items() if not one.hidden} | {"demo"}
    assert "names" not in completed("l4d ")
    assert completed("l4d sess") == {"sessions"}
    assert completed("l4d -") >= {"-c", "-t", "-T", "-s", "--set"}
    assert completed("l4d -s re") == {"reload", "reopen"}
    assert completed("l4d kill --") >= {"--listener", "--older", "--yes", "--socket", "--json"}
    assert completed("l4d top --") >= {"--interval", "--once"}
    assert "--yes" not in completed("l4d top --")
    assert completed("l4d sessions --sort b") == {"bytes"}


@pytest.mark.parametrize("shell", SHELLS)
def test_files_are_completed(shell: object, path: str, tmp_path: Path) -> None:
    assert callable(shell)
    (tmp_path / "mine.toml").touch()
    assert shell("l4d status -c mi", path, tmp_path) == ["mine.toml"]
    assert shell("l4d -t -c mi", path, tmp_path) == ["mine.toml"]


@pytest.mark.parametrize("shell", SHELLS)
def test_names_come_from_the_running_l4d(shell: object, path: str, tmp_path: Path, l4d: FakeAdmin) -> None:
    assert callable(shell)
    socket = f"--socket {l4d.path}"

    def completed(line: str) -> set[str]:
        return set(shell(line, path, tmp_path))

    assert completed(f"l4d drain {socket} pg/o") == {"pg/one"}
    assert completed(f"l4d sessions {socket} --listener ") == {"db"}
    assert completed(f"l4d servers {socket} ") == {"pg"}
    assert completed(f"l4d kill {socket} 00") == {"00000000000000a1"}
    assert completed(f"l4d explain {socket} d") == {"db"}
    assert "pg/unix:/run/x.sock" in completed(f"l4d drain {socket} pg/one pg/")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_where_no_l4d_runs_there_is_silence(shell: object, path: str, tmp_path: Path) -> None:
    assert callable(shell)
    assert shell(f"l4d drain --socket {tmp_path}/none p", path, tmp_path) == []


@needs("bash")
def test_bash_replaces_what_stands_behind_a_colon_only(path: str, tmp_path: Path, l4d: FakeAdmin) -> None:
    assert bash(f"l4d drain --socket {l4d.path} pg/unix:/r", path, tmp_path) == ["/run/x.sock"]


@needs("zsh")
def test_zsh_completes_at_its_prompt(path: str, tmp_path: Path, l4d: FakeAdmin) -> None:
    (tmp_path / ".zshrc").write_text(
        f"fpath=({FOLDER} $fpath)\nautoload -Uz compinit && compinit -u -D\nPS1='> '\nunsetopt beep\n"
    )
    home = {"PATH": path, "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}
    with Terminal("zsh", "-o", "no_global_rcs", "-i", columns=200, extra=home) as terminal:
        terminal.wait_for("> ")
        terminal.type("l4d expl\t")
        terminal.wait_for("l4d explain ")
        terminal.type("\x15l4d kill --o\t")
        terminal.wait_for("l4d kill --older ")
        terminal.type("\x15l4d -s up\t")
        terminal.wait_for("l4d -s upgrade ")
        terminal.type(f"\x15l4d drain --socket {l4d.path} pg/o\t")
        terminal.wait_for("pg/one ")
        terminal.type("\x15l4d weight pg/x 5 --\t\t")
        terminal.wait_for("for programs")
        terminal.type("\x15exit\n")
        assert terminal.finish() == 0
