"""What the demo shows, in words."""

import sys
from pathlib import Path

import pytest

from l4d.address import Inet
from l4d.cli import demo_page as page
from l4d.cli.demo_clients import Asked
from l4d.cli.demo_proxy import admin_socket, configuration
from l4d.cli.demo_servers import DemoServer
from l4d.config.load import load
from l4d.terms import Protocol

ALL = [
    DemoServer(f"{protocol.value}-server-{number}", protocol, Inet("127.0.0.1", 5000 + number), 77, 7)
    for protocol in Protocol
    for number in (1, 2, 3)
]


def test_its_configuration_is_right_and_names_every_server(tmp_path: Path) -> None:
    path = tmp_path / "l4d.toml"
    path.write_text(configuration(ALL))
    config = load(str(path))
    assert [listener.protocol for listener in config.listeners.values()] == list(Protocol)
    assert [server.name for upstream in config.upstreams.values() for server in upstream.servers] == [
        server.name for server in ALL
    ]


def test_its_commands_ask_at_a_socket_in_its_folder_unless_the_path_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "l4d.toml"
    for folder in ("/tmp/demo", "/tmp/" + "x" * 100):
        path.write_text(configuration(ALL, admin_socket(folder)))
        admin = load(str(path)).admin
        assert admin.socket in {"/tmp/demo/l4d.sock", ""}
        assert admin.listen == Inet("127.0.0.1", 0)


def test_answers_stand_side_by_side() -> None:
    asked = {Protocol.TCP: Asked(["a", "b"], {"a", "b"}), Protocol.UDP: Asked(["c", "no answer: timed out"], {"c"})}
    lines = page.answers(asked).splitlines()
    table = [line.split(maxsplit=2) for line in lines[3:6]]
    assert table == [["question", "TCP", "UDP"], ["1", "a", "c"], ["2", "b", "no answer: timed out"]]
    assert "That is not as it should be" in "".join(lines)


@pytest.mark.parametrize(
    ("left", "words"),
    [(2, "l4d gives its clients to the others"), (0, "nobody is left to answer")],
)
def test_the_loss_of_a_server_says_who_answers_now(left: int, words: str) -> None:
    assert page.loss(ALL[0], left) == f"tcp-server-1 has ended: {words}\n"


def test_its_commands_can_be_typed_in_another_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has the bin folder of a virtual environment on the PATH for having typed `make demo`."""
    program = tmp_path / "l4d"
    program.touch(mode=0o755)
    for argument, path, typed in (
        (str(program), str(tmp_path), "l4d"),
        (str(program), "/nowhere", str(program)),
        ("/somewhere/l4d/__main__.py", str(tmp_path), f"{sys.executable} -m l4d"),
    ):
        monkeypatch.setattr(sys, "argv", [argument])
        monkeypatch.setenv("PATH", path)
        lines = list(page._steering(ALL[0], "/run/s"))
        assert lines[1] == f"  {typed} top --socket /run/s"
        assert f"  {typed} drain tcp/tcp-server-1 --socket /run/s" in lines


@pytest.mark.parametrize(("term", "strong"), [("xterm", True), ("dumb", False)])
def test_titles_stand_out_on_a_terminal_that_can(term: str, strong: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert ("\033[1m" in page.farewell()) == strong
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033[1m" not in page.farewell()
