"""The demo as a newcomer meets it: it shows what it promises, and leaves nothing behind however it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from l4d.address import Inet
from tests.kit import Client, UdpClient, wait_until
from tests.kit.api import Api
from tests.kit.command import L4D, command, environment
from tests.kit.processes import children, is_alive

SERVERS = {f"{protocol}-server-{number}" for protocol in ("tcp", "udp") for number in (1, 2, 3)}


class Demo:
    """`l4d demo` in a process of its own, with its temporary files in *folder*."""

    def __init__(self, folder: Path, *args: str, command: Sequence[str] = L4D) -> None:
        self._folder = folder
        self._output = folder / "output"
        self._temporary = folder / "tmp"  # the path of a socket in it must not be too long
        self._temporary.mkdir()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command, "demo", *args],
                env=environment() | {"TMPDIR": str(self._temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.pid = self._process.pid

    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, words: str) -> None:
        wait_until(f"the demo says {words!r}", lambda: words in self.output() or self.has_ended())
        assert words in self.output(), self.output()

    def wait_until_shown(self) -> None:
        self.wait_for("Ctrl-C ends it all")

    def pid_of(self, name: str) -> int:
        """The pid in the table of who is on stage."""
        (pid,) = re.findall(rf"^  {name} .* (\d+)$", self.output(), re.MULTILINE)
        return int(pid)

    def address(self, protocol: str) -> Inet:
        ((host, port),) = re.findall(rf"^  l4d, {protocol} +([\d.]+):(\d+)", self.output(), re.MULTILINE)
        return Inet(host, int(port))

    def processes(self) -> list[int]:
        """The demo, its children and theirs."""
        mine = children(self.pid)
        return [self.pid, *mine, *(pid for child in mine for pid in children(child))]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        wait_until("the demo has ended", self.has_ended)
        return self._process.returncode

    def left_behind(self) -> list[Path]:
        return list(self._temporary.iterdir())

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


Play: TypeAlias = Callable[..., Demo]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Play]:
    """Starts the demo."""
    started: list[Demo] = []

    def start(*args: str, command: Sequence[str] = L4D) -> Demo:
        started.append(Demo(tmp_path, *args, command=command))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_once_shows_that_all_six_servers_answer(demo: Play) -> None:
    shown = demo("--once")
    assert shown.wait() == 0, shown.output()
    answers = [line.split() for line in shown.output().splitlines() if re.match(r"  \d +tcp-server-", line)]
    assert [number for number, _, _ in answers] == ["1", "2", "3", "4", "5", "6"]
    assert {name for _, tcp, udp in answers for name in (tcp, udp)} == SERVERS
    assert "All were answered" in shown.output()
    assert shown.left_behind() == []


def test_port_4000_is_taken_when_it_is_free_and_another_one_else(demo: Play) -> None:
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ours.bind(("127.0.0.1", 4000))
            ours.listen()
        except OSError:
            pass  # somebody else has it; just as well
        shown = demo("--once")
        assert shown.wait() == 0, shown.output()
        assert shown.address("tcp").port != 4000
        assert shown.address("udp").port != 4000


def test_what_it_says_to_type_works(demo: Play) -> None:
    shown = demo()
    shown.wait_until_shown()
    tcp, udp = shown.address("tcp"), shown.address("udp")
    assert f"nc {tcp.host} {tcp.port} " in shown.output()
    assert f"nc -u {udp.host} {udp.port} " in shown.output()
    with Client(tcp) as client:
        _is_an_answer(client.send(b"hello\n").read_line(), "tcp-server-")
        _is_an_answer(client.send(b"hello\n").read_line(), "tcp-server-")
    with UdpClient(udp) as asking:
        _is_an_answer(asking.send(b"hello\n").receive(), "udp-server-")
    [socket_path] = re.findall(r"l4d top --socket (\S+)", shown.output())
    assert "tcp-server-1" in command("servers", "--socket", socket_path).stdout
    assert command("drain", "tcp/tcp-server-1", "--socket", socket_path).returncode == 0
    [page] = re.findall(r"The status page: http://([\d.]+):(\d+)/", shown.output())
    reply = Api(Inet(page[0], int(page[1]))).ask("GET", "/")
    assert reply.headers["Content-Type"].startswith("text/html")


def _is_an_answer(line: bytes, name: str) -> None:
    answer = json.loads(line)
    assert line.endswith(b"}\n")
    assert answer["message"] == "you wrote: hello"
    assert answer["hostname"].startswith(name)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["timestamp"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_when_it_is_told_to_end(number: signal.Signals, demo: Play) -> None:
    shown = demo()
    shown.wait_until_shown()
    processes = shown.processes()
    assert len(processes) == 11  # the demo, six servers, the master, two workers and control
    shown.signal(number)
    assert shown.wait() == 0
    assert [pid for pid in processes if is_alive(pid)] == []
    assert shown.left_behind() == []
    assert "All of it has ended." in shown.output()


def test_told_to_end_at_once_it_leaves_nothing(demo: Play) -> None:
    shown = demo()
    wait_until("the demo has begun", shown.left_behind)
    shown.signal(signal.SIGTERM)
    assert shown.wait() in {0, 130}
    assert shown.left_behind() == []
    assert "Traceback" not in shown.output()


def test_no_process_outlives_a_killed_demo(demo: Play) -> None:
    shown = demo()
    shown.wait_until_shown()
    processes = shown.processes()
    shown.signal(signal.SIGKILL)
    wait_until("nobody is left", lambda: not [pid for pid in processes if is_alive(pid)])


def test_the_others_answer_for_a_server_that_ended(demo: Play) -> None:
    shown = demo()
    shown.wait_until_shown()
    os.kill(shown.pid_of("tcp-server-1"), signal.SIGTERM)
    shown.wait_for("tcp-server-1 has ended: l4d gives its clients to the others")
    names = set()
    for _ in range(12):
        with Client(shown.address("tcp")) as client:
            names.add(json.loads(client.send(b"hello\n").read_line())["hostname"])
    assert names == {"tcp-server-2", "tcp-server-3"}
    shown.signal(signal.SIGINT)
    assert shown.wait() == 0


def test_a_reload_is_shown(demo: Play) -> None:
    shown = demo()
    shown.wait_until_shown()
    os.kill(shown.pid_of("l4d, tcp"), signal.SIGHUP)
    shown.wait_for("ready: generation 2")


def test_a_reader_who_leaves_ends_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*L4D, "demo"],
        env=environment() | {"TMPDIR": str(tmp_path)},
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=20,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")
    assert list(tmp_path.iterdir()) == []


def test_when_the_proxy_ends_the_demo_says_why(demo: Play) -> None:
    shown = demo()
    shown.wait_until_shown()
    processes = shown.processes()
    os.kill(shown.pid_of("l4d, tcp"), signal.SIGKILL)
    assert shown.wait() == 1
    assert "l4d: the proxy of the demo ended with status -9" in shown.output()
    assert [pid for pid in processes if is_alive(pid)] == []
    assert shown.left_behind() == []


def test_when_the_proxy_does_not_start_the_demo_says_why(demo: Play) -> None:
    shown = demo(command=(sys.executable, "-c", _WITH_A_WRONG_CONFIGURATION))
    assert shown.wait() == 1
    assert "l4d: the proxy of the demo ended with status 78; it said:\n" in shown.output()
    assert "l4d.toml:2: main.workers: " in shown.output()
    assert shown.left_behind() == []


_WITH_A_WRONG_CONFIGURATION = """
from l4d.cli import demo
from l4d.cli.main import main
demo.configuration = lambda servers, socket_path: "[main]\\nworkers = 'many'\\n"
raise SystemExit(main())
"""
