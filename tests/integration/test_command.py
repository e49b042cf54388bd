"""The command as it is typed: what it prints where, and the status it ends with."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from l4d import __version__
from l4d.address import Address, Inet
from tests.kit import Client, Daemon, Echo, Server, Start, ask, command, free_port, is_alive, wait_until
from tests.kit.command import L4D, environment

FINE = """
[listeners.web]
bind = "127.0.0.1:0"
upstream = "web"

[upstreams.web]
servers = ["127.0.0.1:9"]
"""

WRONG = """\
[listeners.web]
bind = "127.0.0.1:0"
upstrem = "web"

[upstreams.web]
servers = ["127.0.0.1"]
tries = -1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "fine.toml"
    path.write_text(FINE)
    return path


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _said_one_line(ended: "subprocess.CompletedProcess[str]", status: int, *words: str) -> None:
    """It ended with *status*, and said one clear line with *words* and nothing else."""
    assert (ended.returncode, ended.stdout) == (status, ""), ended
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert all(word in ended.stderr for word in words), ended.stderr


# What it says of itself


def test_v_prints_the_version_alone() -> None:
    ended = command("-v")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"l4d {__version__}\n", "")


def test_capital_v_tells_of_python_and_the_kernel() -> None:
    ended = command("-V")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(f"  {name} " in ended.stdout for name in ("Python", "kernel", "SO_REUSEPORT", "splice", "pidfd"))


def test_wrong_usage_ends_with_2() -> None:
    _said_one_line(command("-t", "-d"), 2, "l4d: -d does not go with -t")


# Checking


def test_t_says_that_a_configuration_is_fine(config: Path) -> None:
    _said_one_line(command("-t", "-c", config), 0, f"l4d: configuration {config} is fine")


@pytest.mark.parametrize("options", [("-t",), ()])
def test_more_names_than_there_is_room_for_are_found_out(options: tuple[str, ...], tmp_path: Path) -> None:
    """Each stands for 64 servers."""
    names = ", ".join(f'"server{number}.test:80"' for number in range(400))
    upstream = f'[upstreams.web]\nservers = [{names}]\n[listeners.web]\nbind = "127.0.0.1:0"\nupstream = "web"\n'
    words = "upstreams.web.servers[256]: is the 257th server given by name; there may be 256"
    _said_one_line(command(*options, "-c", _write(tmp_path / "l4d.toml", upstream)), 78, words)


def test_t_with_q_says_nothing_when_it_is_fine(config: Path) -> None:
    ended = command("-t", "-q", "-c", config)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("options", [("-t",), ("-t", "-q"), ("-T",), (), ("-d",)])
def test_every_problem_is_a_line_and_the_status_78(options: tuple[str, ...], tmp_path: Path) -> None:
    path = _write(tmp_path / "l4d.toml", WRONG)
    ended = command(*options, "-c", path)
    assert (ended.returncode, ended.stdout) == (78, "")
    lines = ended.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{path}:3", "listeners.web.upstrem"],
        [f"{path}:6", "upstreams.web.servers[0]"],
        [f"{path}:7", "upstreams.web.tries"],
    ], ended.stderr


def test_what_is_not_toml_is_a_line(tmp_path: Path) -> None:
    path = _write(tmp_path / "l4d.toml", "[main\n")
    _said_one_line(command("-t", "-c", path), 78, f"{path}:1: ")


def test_a_missing_file_ends_with_1() -> None:
    _said_one_line(command("-c", "/nowhere/l4d.toml"), 1, "l4d: cannot read /nowhere/l4d.toml: No such file")


def test_an_unreadable_file_ends_with_1(config: Path) -> None:
    config.chmod(0)
    _said_one_line(command("-c", config, rights=False), 1, f"l4d: cannot read {config}: Permission denied")


@pytest.mark.parametrize("options", [("-t",), ("-T",), (), ("-d",)])
def test_an_address_in_use_ends_with_1(options: tuple[str, ...], config: Path, server: Server, tmp_path: Path) -> None:
    overrides = ("--set", f"listeners.web.bind={server.address}", "--set", f"log.error={tmp_path}/error.log")
    ended = command(*options, "-c", config, *overrides)
    _said_one_line(ended, 1, f"{server.address}", "listeners.web", f"pid {os.getpid()}")


def test_t_does_not_disturb_the_l4d_that_serves(start: Start) -> None:
    with Echo("one") as one:
        toml = f"""
            [listeners.web]
            bind = "127.0.0.1:{free_port()}"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}"]
        """
        daemon = start(toml)
        assert command("-t", "-c", daemon.config).returncode == 0
        assert {ask(daemon.address()) for _ in range(20)} == {"one"}


# Showing


def test_capital_t_prints_what_reads_back_the_same(config: Path, tmp_path: Path) -> None:
    shown = command("-T", "-c", config)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert 'connect_timeout = "5s"' in shown.stdout
    again = command("-T", "-c", _write(tmp_path / "shown.toml", shown.stdout))
    assert again.stdout == shown.stdout


def test_set_overrides_a_key(config: Path) -> None:
    shown = command("-T", "-c", config, "--set", "main.workers=7", "--set", "upstreams.web.tries=3")
    assert "workers = 7\n" in shown.stdout
    assert "tries = 3\n" in shown.stdout


@pytest.mark.parametrize("override", ["main.workers", "main.wokers=2", "main.workers=many", "=", "a.b.c=1"])
def test_a_wrong_override_is_a_problem_like_any_other(override: str, config: Path) -> None:
    ended = command("-t", "-c", config, "--set", override)
    assert ended.returncode == 78
    assert "--set" in ended.stderr
    assert "Traceback" not in ended.stderr


# Where nobody reads


def test_a_reader_who_leaves_sees_no_traceback(config: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for options in ("-T", "-v", "-V", "-h"):
        file = ("-c", str(config)) if options == "-T" else ()
        assert _run_with_stdout(writer, options, *file) == (128 + signal.SIGPIPE, "")
    os.close(writer)


def test_a_full_disk_is_said(config: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        status, said = _run_with_stdout(full.fileno(), "-T", "-c", str(config))
    assert (status, said) == (1, "l4d: writing to standard output: No space left on device\n")


def _run_with_stdout(stdout: int, *args: str) -> tuple[int, str]:
    ended = subprocess.run(
        [*L4D, *args], env=environment(), stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=10, check=False
    )
    return ended.returncode, ended.stderr


# Starting


def test_interrupted_at_the_terminal_it_ends_well(start: Start) -> None:
    daemon = start(FINE)
    daemon.stop(signal.SIGINT)


def test_a_port_below_1024_without_the_right_ends_with_1(config: Path) -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 999:
        pytest.skip("this machine lets everyone bind port 999")
    ended = command("-c", config, "--set", "listeners.web.bind=127.0.0.1:999", rights=False)
    _said_one_line(ended, 1, "127.0.0.1:999", "listeners.web", "CAP_NET_BIND_SERVICE")


def test_a_second_l4d_on_the_same_address_is_refused(start: Start) -> None:
    with Echo("one") as one:
        toml = _served_by(one.address)
        first = start(toml)
        ended = command("-c", first.config)
        _said_one_line(ended, 1, str(first.address()), f"pid {first.pid}")
        assert ask(first.address()) == "one"


def _served_by(server: Address, extra: str = "") -> str:
    return f"""
        [main]
        workers = 1
        {extra}

        [listeners.web]
        bind = "127.0.0.1:{free_port()}"
        upstream = "web"

        [upstreams.web]
        servers = ["{server}"]
    """


# Telling the running one


@pytest.fixture
def findable(start: Start, server: Server, tmp_path: Path) -> Daemon:
    """An l4d that says in a pid file who it is."""
    return start(_served_by(server.address, f'pid_file = "{tmp_path}/l4d.pid"'))


@pytest.mark.parametrize("word", ["stop", "quit"])
def test_s_ends_the_running_l4d(word: str, findable: Daemon) -> None:
    ended = command("-s", word, "-c", findable.config)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert findable.wait() == 0


def test_s_stop_closes_sessions_and_s_quit_lets_them_finish(findable: Daemon, server: Server) -> None:
    with Client(findable.address()) as client, server.accept() as peer:
        client.send(b"question")
        assert peer.read(8) == b"question"
        command("-s", "quit", "-c", findable.config)
        findable.wait_log("gracefully")
        peer.send(b"answer").finish()
        assert client.read_all() == b"answer"
        client.finish()
        assert peer.read_all() == b""
    assert findable.wait() == 0


def test_s_reload_makes_a_new_generation(findable: Daemon) -> None:
    assert command("-s", "reload", "-c", findable.config).returncode == 0
    findable.wait_log("ready: generation 2")


def test_s_reopen_opens_the_log_file_again(start: Start, server: Server, tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    pid_file = f'pid_file = "{tmp_path}/l4d.pid"\n\n        [log]\n        error = "{log}"'
    daemon = start(_served_by(server.address, pid_file))
    log.rename(tmp_path / "error.log.1")
    assert command("-s", "reopen", "-c", daemon.config).returncode == 0
    wait_until("the log file is there again", log.exists)


def test_s_with_a_stale_pid_file_says_so(tmp_path: Path) -> None:
    pid_file = _write(tmp_path / "l4d.pid", f"{os.getpid()}\n")
    path = _write(tmp_path / "l4d.toml", f'[main]\npid_file = "{pid_file}"\n{FINE}')
    _said_one_line(command("-s", "stop", "-c", path), 1, f"l4d: no l4d is running: {pid_file} is stale")


def test_s_without_a_pid_file_says_so(config: Path) -> None:
    _said_one_line(command("-s", "stop", "-c", config), 1, "l4d: main.pid_file is not set")


# As a daemon


def test_d_returns_when_every_worker_accepts(tmp_path: Path) -> None:
    with Echo("one") as one:
        pid_file, log = tmp_path / "l4d.pid", tmp_path / "error.log"
        port = free_port()
        text = FINE.replace(":0", f":{port}").replace("127.0.0.1:9", str(one.address))
        path = _write(tmp_path / "l4d.toml", f'[main]\npid_file = "{pid_file}"\n\n[log]\nerror = "{log}"\n{text}')
        started = command("-d", "-c", path)
        assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
        pid = int(pid_file.read_text())
        with Client(_loopback(port)) as client:
            assert client.send(b"?\n").read_line() == b"one ?\n"
        assert os.getsid(pid) not in {pid, os.getsid(0)}  # leads no session, and is not of ours
        assert command("-s", "stop", "-c", path).returncode == 0
        wait_until("the daemon has ended", lambda: not is_alive(pid))
        assert not pid_file.exists()
        assert "Traceback" not in log.read_text()


def _loopback(port: int) -> Address:
    return Inet("127.0.0.1", port)
