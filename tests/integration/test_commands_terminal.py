"""`l4d top` and `l4d kill` on a terminal, in front of a stand-in for l4d: keys, size, signals, questions."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import documents, wait_until
from tests.kit.command import L4D
from tests.kit.fake_admin import FakeAdmin
from tests.kit.processes import state
from tests.kit.terminal import Terminal
from tests.kit.wait import TIMEOUT


@pytest.fixture
def l4d(tmp_path: Path) -> Iterator[FakeAdmin]:
    with FakeAdmin(tmp_path, documents.everything()) as admin:
        yield admin


def typed(l4d: FakeAdmin, *words: str, columns: int = 80, rows: int = 24) -> Terminal:
    return Terminal(*L4D, words[0], "--socket", l4d.path, *words[1:], columns=columns, rows=rows)


# top


def test_top_is_live_sorts_and_quits(l4d: FakeAdmin) -> None:
    with typed(l4d, "top", "--interval", "0.1") as terminal:
        terminal.wait_for("sort by:")
        assert "\x1b[?1049h" in terminal.raw
        l4d.answers["GET", "listeners"] = {"listeners": [documents.listener("another")]}
        terminal.wait_for("another")
        terminal.type("s")
        terminal.wait_for("[s sessions]")
        terminal.type("xq")
        assert terminal.finish() == 0
        assert terminal.is_as_before()


def test_top_follows_the_size_of_the_window(l4d: FakeAdmin) -> None:
    with typed(l4d, "top", "--interval", "60", columns=40) as terminal:
        terminal.wait_for("sort by:")
        assert "CONNECT" not in terminal.shown
        terminal.resize(150, 30)
        terminal.wait_for("CONNECT")
        terminal.type("q")
        assert terminal.finish() == 0


def test_top_waits_for_an_l4d_that_has_gone(l4d: FakeAdmin, tmp_path: Path) -> None:
    with typed(l4d, "top", "--interval", "0.1") as terminal:
        terminal.wait_for("sort by:")
        there = l4d.path
        there.rename(tmp_path / "away")
        terminal.wait_for("trying again: no l4d is running here")
        (tmp_path / "away").rename(there)
        l4d.answers["GET", "listeners"] = {"listeners": [documents.listener("again")]}
        terminal.wait_for("again")
        terminal.type("q")
        assert terminal.finish() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_whatever_ends_top_the_terminal_is_as_before(number: signal.Signals, l4d: FakeAdmin) -> None:
    with typed(l4d, "top") as terminal:
        terminal.wait_for("sort by:")
        assert not terminal.is_as_before()
        terminal.signal(number)
        assert terminal.finish() == 128 + number
        assert terminal.is_as_before()
        assert "Traceback" not in terminal.shown


def test_a_terminal_that_goes_away_ends_top(l4d: FakeAdmin) -> None:
    with typed(l4d, "top") as terminal:
        terminal.wait_for("sort by:")
        terminal.hang_up()
        assert terminal.finish() == 128 + signal.SIGHUP


def test_ctrl_c_ends_top(l4d: FakeAdmin) -> None:
    with typed(l4d, "top") as terminal:
        terminal.wait_for("sort by:")
        terminal.type("\x03")
        assert terminal.finish() == 130
        assert terminal.is_as_before()


def test_while_top_is_stopped_the_terminal_is_as_before(l4d: FakeAdmin) -> None:
    with typed(l4d, "top") as terminal:
        terminal.wait_for("sort by:")
        terminal.signal(signal.SIGTSTP)
        wait_until("it is stopped", lambda: state(terminal.pid) == "T")
        assert terminal.is_as_before()
        terminal.signal(signal.SIGCONT)
        terminal.wait_for("sort by:", times=2)
        assert not terminal.is_as_before()
        terminal.type("q")
        assert terminal.finish() == 0


def test_a_bug_in_top_leaves_the_terminal_as_it_was(l4d: FakeAdmin) -> None:
    """A traceback is to be read on the ordinary screen."""
    broken = "import l4d.cli.commands.top_view as v, l4d.cli.main as m; v.View.picture = None; m.main()"
    with Terminal(L4D[0], "-c", broken, "top", "--socket", l4d.path) as terminal:
        assert terminal.finish() == 1
        assert "TypeError" in terminal.shown
        assert terminal.is_as_before()


def test_ctrl_c_ends_a_command_that_waits(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{tmp_path}/x")
        silent.listen()
        with Terminal(*L4D, "status", "--socket", f"{tmp_path}/x") as terminal:
            silent.settimeout(TIMEOUT)
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(3) == b"GET"
                terminal.type("\x03")
                assert terminal.finish() == 130
                assert "Traceback" not in terminal.shown


# Tables


def test_tables_fit_the_terminal(l4d: FakeAdmin) -> None:
    for columns in (50, 80, 120):
        with typed(l4d, "status", columns=columns) as terminal:
            assert terminal.finish() == 0
            assert max(map(len, terminal.shown.splitlines())) <= columns


def test_colours_are_shown_unless_they_are_unwanted(l4d: FakeAdmin) -> None:
    line = (*L4D, "servers", "--socket", l4d.path)
    with Terminal(*line) as terminal:
        assert terminal.finish() == 0
        assert "\x1b[1;31m" in terminal.raw
    with Terminal(*line, extra={"NO_COLOR": "1"}) as terminal:
        assert terminal.finish() == 0
        assert "31m" not in terminal.raw and "down" in terminal.raw


# kill


@pytest.mark.parametrize(
    ("answer", "status"), [("y\n", 0), ("yes\n", 0), ("\n", 1), ("n\n", 1), ("\x04", 1), ("\x03", 130)]
)
def test_kill_asks_how_it_is_meant(answer: str, status: int, l4d: FakeAdmin) -> None:
    l4d.answers["GET", "sessions"] = documents.sessions(documents.session(), total=12)
    l4d.answers["DELETE", "sessions"] = {"killed": 12, "silent": []}
    with typed(l4d, "kill", "--server", "pg/two", "--older", "1h") as terminal:
        terminal.wait_for("kill 12 sessions (server pg/two, older 1h)? [y/N] ")
        assert [method for method, _, _ in l4d.heard] == ["GET"]
        terminal.type(answer)
        assert terminal.finish() == status
        assert ("12 sessions killed" in terminal.shown) == (status == 0)
    assert [method for method, _, _ in l4d.heard] == (["GET", "DELETE"] if status == 0 else ["GET"])


def test_kill_asks_about_one_session_too(l4d: FakeAdmin) -> None:
    l4d.answers["DELETE", "sessions/00a1"] = {"killed": 1}
    with typed(l4d, "kill", "00a1") as terminal:
        terminal.wait_for("kill session 00a1? [y/N] ")
        terminal.type("y\n")
        assert terminal.finish() == 0


def test_where_nobody_is_connected_kill_does_not_ask(l4d: FakeAdmin) -> None:
    l4d.answers["GET", "sessions"] = documents.sessions()
    with typed(l4d, "kill", "--listener", "db") as terminal:
        assert terminal.finish() == 1
        assert "l4d: no session meets these filters" in terminal.shown
