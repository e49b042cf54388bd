"""USR2: the program now on disk takes over, or everything is as it was."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from resource import RLIMIT_NOFILE, prlimit
from signal import SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR2, Signals

import pytest

from l4d.stats import catalogue
from tests.kit import Daemon, Echo, Start, UdpEcho, ask, command, descriptors, is_alive, wait_until
from tests.kit.board import BoardOf
from tests.kit.command import environment
from tests.kit.processes import children, title
from tests.kit.rights import needs_root
from tests.kit.versions import Change, Versions, replaced
from tests.kit.visitors import Visitors

FAILED = "everything is as it was"


@pytest.fixture
def one() -> Iterator[Echo]:
    with Echo("one") as one:
        yield one


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """1.0 is the present one, and 2.0 is installed beside it. An upgrade may take two seconds."""
    (tmp_path / "versions").mkdir()
    versions = Versions(tmp_path / "versions")
    versions.install("1.0", replaced("master/upgrade.py", "READY_TIMEOUT = 30.0", "READY_TIMEOUT = 5.0"))
    versions.install("2.0")
    versions.switch("1.0")
    return versions


@pytest.fixture
def started(versions: Versions, tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """l4d as it is installed, on this configuration."""
    daemons: list[Daemon] = []

    def start(toml: str, *args: str) -> Daemon:
        daemons.append(Daemon(toml, tmp_path, args, versions.command))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.kill()


def web(server: Echo, *, bind: str = '"127.0.0.1:0"', main: str = "", check: str = "off") -> str:
    return f"""
        [main]
        {main}

        [listeners.web]
        bind = [{bind}]
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
        check = {{ type = "{check}", interval = "200ms" }}
    """


def is_gone(pid: int) -> bool:
    return not is_alive(pid)


# It comes about


def test_the_version_on_disk_takes_over_and_no_connection_is_lost(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    daemon = started(web(one))
    with daemon.client() as client, Visitors(daemon) as visitors:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        visitors.wait(100)
        versions.switch("2.0")
        daemon.upgrade()
        visitors.wait(100)
        assert client.send(b"2\n").read_line() == b"one 2\n"
    assert not visitors.failures
    assert set(visitors.answers) == {"one"}
    daemon.wait_log(f"upgraded: pid {daemon.master} is l4d now, version 2.0")
    assert daemon.master != daemon.pid
    wait_until("the old master is gone", lambda: not is_alive(daemon.pid))
    assert daemon.log().count("stopped") == 0
    daemon.stop()
    assert daemon.log().count("stopped") == 1


def test_sessions_move_to_the_version_that_takes_over(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    daemon = started(web(one))
    clients = [daemon.client() for _ in range(20)]
    for client in clients:
        assert client.send(b"1\n").read_line() == b"one 1\n"
    for version in ("2.0", "1.0"):
        old = daemon.master
        versions.switch(version)
        daemon.upgrade()
        wait_until("the old master is gone", partial(is_gone, old))
        for client in clients:
            assert client.send(b"2\n").read_line() == b"one 2\n"
    for client in clients:
        client.close()
    daemon.stop()


def test_sessions_that_may_not_move_finish_with_the_old_version(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    daemon = started(web(one, main="handover = false"))
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        versions.switch("2.0")
        daemon.upgrade()
        assert is_alive(daemon.pid)
        assert client.send(b"2\n").read_line() == b"one 2\n"
    wait_until("the old master is gone", partial(is_gone, daemon.pid))
    daemon.stop()


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_a_fast_stop_ends_the_sessions_of_the_old_version_too(
    started: Callable[..., Daemon], one: Echo, number: Signals
) -> None:
    daemon = started(web(one, main="handover = false"))
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        daemon.upgrade()
        daemon.stop(number)
        assert client.read_all() == b""


def test_while_sessions_of_the_old_version_live_reloads_go_on_and_the_next_upgrade_waits(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    daemon = started(web(one, main="handover = false"))
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        daemon.upgrade()
        new = daemon.master
        daemon.reload()
        assert ask(daemon.address()) == "one"
        versions.switch("2.0")
        daemon.signal(SIGUSR2)
        daemon.reload()
        assert client.send(b"2\n").read_line() == b"one 2\n"
        assert daemon.master == new
    daemon.wait_log("is l4d now, version 2.0")
    daemon.wait_log("ready: generation 5")
    assert ask(daemon.address()) == "one"
    daemon.stop()


def test_l4d_that_was_started_as_a_module_is_upgraded_as_one(start: Start, one: Echo) -> None:
    daemon = start(web(one))
    daemon.upgrade()
    assert ask(daemon.address()) == "one"
    assert title(daemon.master).startswith("l4d: master process l4d -c ")


def test_one_upgrade_after_the_other_leaves_nothing_behind(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    daemon = started(web(one, check="tcp"))
    daemon.upgrade()  # what the first one has, only those have that were not upgraded to
    wait_until("the old one is gone", lambda: not is_alive(daemon.pid))

    def numbers() -> tuple[int, int, list[int]]:
        workers = sorted(descriptors(worker) for worker in daemon.workers())
        return len(daemon.processes()), descriptors(daemon.master), workers

    before = numbers()
    for version in ("2.0", "1.0", "2.0"):
        old = daemon.master
        versions.switch(version)
        daemon.upgrade()
        daemon.wait_log(f"pid {daemon.master} is l4d now, version {version}")
        wait_until("the old one is gone", partial(is_gone, old))
        wait_until("all is as before", lambda: numbers() == before)
    daemon.stop()


def test_what_the_file_says_now_is_served(started: Callable[..., Daemon], one: Echo) -> None:
    with Echo("two") as two:
        daemon = started(web(one, main="workers = 1"))
        daemon.write(web(two, main="workers = 3"))
        daemon.upgrade()
        assert {ask(daemon.address()) for _ in range(10)} == {"two"}
        assert len(daemon.workers()) == 3
        daemon.stop()


def test_a_reload_after_it_is_as_any_other(started: Callable[..., Daemon], one: Echo) -> None:
    with Echo("two") as two:
        daemon = started(web(one))
        daemon.upgrade()
        daemon.reload(web(two))
        assert {ask(daemon.address()) for _ in range(10)} == {"two"}
        daemon.stop()


def test_the_pid_file_follows_and_so_do_the_commands_that_use_it(
    started: Callable[..., Daemon], versions: Versions, one: Echo, tmp_path: Path
) -> None:
    pid_file = tmp_path / "l4d.pid"
    daemon = started(web(one, main=f'pid_file = "{pid_file}"'))
    versions.switch("2.0")
    assert command("-s", "upgrade", "-c", daemon.config).returncode == 0
    wait_until("the next generation is ready", lambda: daemon.generation() == 2)
    assert pid_file.read_text() == f"{daemon.master}\n"
    wait_until("the old master is gone", lambda: not is_alive(daemon.pid))
    assert pid_file.read_text() == f"{daemon.master}\n"
    assert command("-t", "-c", daemon.config).returncode == 0
    second = command("-c", daemon.config)
    assert second.stderr == f"l4d: l4d is already running as pid {daemon.master} (pid file {pid_file})\n"
    assert command("-s", "stop", "-c", daemon.config).returncode == 0
    wait_until("it has stopped", lambda: not daemon.processes())
    assert not pid_file.exists()


def test_the_addresses_are_those_of_the_new_master(started: Callable[..., Daemon], one: Echo, tmp_path: Path) -> None:
    daemon = started(web(one, bind=f'"127.0.0.1:0", "unix:{tmp_path}/front"'))
    daemon.upgrade()
    wait_until("the old master is gone", lambda: not is_alive(daemon.pid))
    rival = tmp_path / "rival.toml"
    for address in daemon.addresses():
        rival.write_text(web(one, bind=f'"{address}"'))
        outcome = command("-c", rival)
        assert outcome.stderr == f"l4d: tcp {address} is already served by l4d, pid {daemon.master}\n"
        assert ask(address) == "one"
    daemon.stop()
    assert not (tmp_path / "front").exists()


def test_an_address_that_the_file_does_not_name_any_more_is_closed(
    started: Callable[..., Daemon], one: Echo, tmp_path: Path
) -> None:
    daemon = started(web(one, bind=f'"127.0.0.1:0", "unix:{tmp_path}/front"'))
    daemon.write(web(one))
    daemon.upgrade()
    assert not (tmp_path / "front").exists()
    assert ask(daemon.addresses()[0]) == "one"
    daemon.stop()


def test_a_daemon_stays_one(started: Callable[..., Daemon], versions: Versions, one: Echo, tmp_path: Path) -> None:
    log, pid_file = tmp_path / "l4d.log", tmp_path / "l4d.pid"
    config = tmp_path / "daemon.toml"
    main = f'pid_file = "{pid_file}"\nworkers = 1\n\n[log]\nerror = "{log}"'
    config.write_text(web(one, main=main))
    assert subprocess.run([*versions.command, "-d", "-c", config], env=environment(), check=False).returncode == 0
    old = int(pid_file.read_text())
    try:
        session = os.getsid(old)
        versions.switch("2.0")
        os.kill(old, SIGUSR2)
        wait_until("the old master is gone", lambda: not is_alive(old))
        new = int(pid_file.read_text())
        assert f"upgraded: pid {new} is l4d now, version 2.0" in log.read_text()
        assert os.getsid(new) == session
        assert {os.readlink(f"/proc/{new}/fd/{number}") for number in range(3)} == {"/dev/null"}
        assert title(new) == f"l4d: master process l4d -d -c {config}"
    finally:
        for pid in (old, int(pid_file.read_text())):
            if is_alive(pid):
                os.kill(pid, SIGTERM)
        wait_until("it has ended", lambda: not pid_file.exists())


# What is counted


@needs_root
def test_the_numbers_go_on(started: Callable[..., Daemon], versions: Versions, one: Echo) -> None:
    daemon = started(web(one))
    for _ in range(5):
        assert ask(daemon.address()) == "one"
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        versions.switch("2.0")
        daemon.upgrade()
        with BoardOf(daemon) as board:
            assert board.total(catalogue.SESSIONS_TOTAL, "web") == 6
            assert board.total(catalogue.SESSIONS, "web") == 1
            assert ask(daemon.address()) == "one"
            assert board.total(catalogue.SESSIONS_TOTAL, "web") == 7
    wait_until("the old master is gone", lambda: not is_alive(daemon.pid))
    with BoardOf(daemon) as board:
        assert board.total(catalogue.SESSIONS_TOTAL, "web") == 7
        wait_until("nobody is counted twice", lambda: board.total(catalogue.SESSIONS, "web") == 0)
    daemon.stop()
    assert "listeners.web: 7 sessions" in daemon.log()


@needs_root
def test_what_workers_of_a_killed_master_have_counted_is_kept(started: Callable[..., Daemon], one: Echo) -> None:
    daemon = started(web(one))
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        old = daemon.workers()
        daemon.upgrade()
        for pid in (daemon.pid, *old):  # the master first: it is to tell nothing
            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
    with BoardOf(daemon) as board:
        wait_until("nobody is counted any more", lambda: board.total(catalogue.SESSIONS, "web") == 0)
        assert board.total(catalogue.SESSIONS_TOTAL, "web") == 1
        assert ask(daemon.address()) == "one"
        assert board.total(catalogue.SESSIONS_TOTAL, "web") == 2
    daemon.signal(SIGTERM)
    wait_until("it has ended", lambda: not daemon.processes())
    assert "listeners.web: 2 sessions" in daemon.log()


# It does not come about


def raises_at_import(package: Path) -> None:
    (package / "cli" / "main.py").write_text('raise ImportError("a library is missing")\n')


def exits_with_1(package: Path) -> None:
    (package / "cli" / "main.py").write_text("import sys\nsys.exit(1)\n")


def hangs(package: Path) -> None:
    (package / "cli" / "main.py").write_text("import time\ntime.sleep(1000)\n")


def is_no_l4d(package: Path) -> None:
    (package / "master" / "run.py").write_text("def run(*_, **__): raise SystemExit('who are you?')\n")


later_will = replaced("master/will.py", "VERSION = 1", "VERSION = 2")
no_workers = replaced("worker/process.py", "    live(log,", "    raise SystemExit(3)\n    live(log,")


def instead_of_ready(statement: str) -> Change:
    """Before it says that it could serve, it does something."""
    return replaced("master/predecessor.py", '        """Ask for the word to go."""', f"        {statement}")


dies_ready = instead_of_ready("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (raises_at_import, "exited with status 1"),
        (exits_with_1, "exited with status 1"),
        (hangs, "was not ready after 5 s"),
        (is_no_l4d, "exited with status 1"),
        (later_will, "has version 1, and this program knows 2"),
        (no_workers, "exited with status 1 before it was ready"),
        (dies_ready, "was killed by SIGKILL"),
    ],
)
def test_a_next_version_that_does_not_start_changes_nothing(
    started: Callable[..., Daemon], versions: Versions, one: Echo, tmp_path: Path, change: Change, words: str
) -> None:
    versions.install("3.0", change)
    pid_file = tmp_path / "l4d.pid"
    daemon = started(web(one, bind=f'"127.0.0.1:0", "unix:{tmp_path}/front"', main=f'pid_file = "{pid_file}"'))
    workers, processes, held = daemon.workers(), daemon.processes(), descriptors(daemon.pid)
    with daemon.client("web") as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        versions.switch("3.0")
        daemon.signal(SIGUSR2)
        daemon.wait_log(FAILED)
        [line] = [line for line in daemon.log().splitlines() if FAILED in line]
        assert "error master: the upgrade failed: " in line
        assert words in line
        assert client.send(b"2\n").read_line() == b"one 2\n"
    assert daemon.workers() == workers
    assert daemon.processes() == processes
    assert descriptors(daemon.pid) == held
    assert pid_file.read_text() == f"{daemon.pid}\n"
    assert [ask(address) for address in daemon.addresses()] == ["one", "one"]
    versions.switch("2.0")
    daemon.upgrade()
    assert daemon.generation() == 2
    assert [ask(address) for address in daemon.addresses()] == ["one", "one"]
    assert pid_file.read_text() == f"{daemon.master}\n"


def test_what_the_next_version_says_is_in_the_log(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    versions.install("3.0", raises_at_import)
    daemon = started(web(one))
    versions.switch("3.0")
    daemon.signal(SIGUSR2)
    daemon.wait_log(FAILED)
    assert "warning master: the next program says: ImportError: a library is missing" in daemon.log()


def test_a_command_that_is_gone_changes_nothing(started: Callable[..., Daemon], versions: Versions, one: Echo) -> None:
    daemon = started(web(one))
    versions.spoil()
    daemon.signal(SIGUSR2)
    daemon.wait_log(FAILED)
    assert f"the upgrade failed: {versions.command[0]} cannot be run: No such file or directory" in daemon.log()
    assert ask(daemon.address()) == "one"
    daemon.stop()


def test_a_file_that_is_wrong_by_now_changes_nothing(started: Callable[..., Daemon], one: Echo) -> None:
    daemon = started(web(one))
    daemon.write(web(one).replace("upstream =", "upstrem ="))
    daemon.signal(SIGUSR2)
    daemon.wait_log(FAILED)
    assert "listeners.web.upstrem: no such key; did you mean 'upstream'?" in daemon.log()
    assert ask(daemon.address()) == "one"
    daemon.write(web(one))
    daemon.upgrade()
    assert ask(daemon.address()) == "one"
    daemon.stop()


@pytest.mark.parametrize("whose", ["next", "running"])
def test_a_kill_while_the_next_version_starts(
    started: Callable[..., Daemon], versions: Versions, one: Echo, whose: str
) -> None:
    versions.install("3.0", hangs)
    daemon = started(web(one))
    workers = daemon.workers()
    versions.switch("3.0")
    daemon.signal(SIGUSR2)
    [starting] = wait_until("it starts", lambda: set(children(daemon.pid)) - set(workers))
    if whose == "next":
        os.kill(starting, SIGKILL)
        daemon.wait_log(f"the next program (pid {starting}) was killed by SIGKILL; {FAILED}")
        assert ask(daemon.address()) == "one"
        daemon.stop()
        return
    os.kill(daemon.pid, SIGTERM)
    wait_until("nothing is left", lambda: not daemon.processes())
    assert daemon.wait() == 0


def test_a_killed_master_takes_the_next_version_with_it(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    versions.install("3.0", instead_of_ready("return"))
    daemon = started(web(one))
    versions.switch("3.0")
    daemon.signal(SIGUSR2)
    wait_until("its workers are there", lambda: len(daemon.processes()) == 6)
    os.kill(daemon.pid, SIGKILL)
    wait_until("nothing is left", lambda: not daemon.processes())


def test_control_goes_on_when_the_next_version_dies_with_it(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    versions.install("3.0", dies_ready)
    daemon = started(web(one, check="tcp"))
    versions.switch("3.0")
    daemon.signal(SIGUSR2)
    daemon.wait_log(FAILED)
    one.close()
    daemon.wait_log("is down")
    assert len(daemon.processes()) == 4
    daemon.stop()


# One thing at a time


def test_a_hup_during_an_upgrade_is_not_lost(started: Callable[..., Daemon], versions: Versions, one: Echo) -> None:
    versions.install("3.0", instead_of_ready("import time; time.sleep(1)"))
    with Echo("two") as two:
        daemon = started(web(one))
        versions.switch("3.0")
        daemon.signal(SIGUSR2)
        wait_until("its workers are there", lambda: len(daemon.processes()) == 6)
        daemon.write(web(two))
        os.kill(daemon.pid, SIGHUP)
        daemon.wait_log("ready: generation 3")
        assert {ask(daemon.address()) for _ in range(10)} == {"two"}
        daemon.stop()


def test_a_hup_during_an_upgrade_that_fails_is_not_lost_either(
    started: Callable[..., Daemon], versions: Versions, one: Echo
) -> None:
    versions.install("3.0", hangs)
    with Echo("two") as two:
        daemon = started(web(one))
        versions.switch("3.0")
        daemon.signal(SIGUSR2)
        daemon.wait_log("upgrading")
        daemon.write(web(two))
        daemon.signal(SIGHUP)
        daemon.wait_log("ready: generation 2")
        assert FAILED in daemon.log()
        assert {ask(daemon.address()) for _ in range(10)} == {"two"}
        daemon.stop()


def test_a_second_usr2_is_refused(started: Callable[..., Daemon], versions: Versions, one: Echo) -> None:
    versions.install("3.0", hangs)
    daemon = started(web(one))
    versions.switch("3.0")
    daemon.signal(SIGUSR2)
    daemon.wait_log("upgrading")
    daemon.signal(SIGUSR2)
    daemon.wait_log("USR2: an upgrade is under way already; nothing was done")
    daemon.stop()


# The service manager


def test_it_needs_no_copies_of_what_it_leaves(started: Callable[..., Daemon], one: Echo, tmp_path: Path) -> None:
    paths = [f'"unix:{tmp_path}/{number}"' for number in range(150)]
    daemon = started(web(one, bind=", ".join(paths)))
    enough = descriptors(daemon.master) + 20
    prlimit(daemon.master, RLIMIT_NOFILE, (enough, enough))
    daemon.upgrade()
    assert ask(daemon.address()) == "one"
    daemon.stop()


def test_with_few_descriptors_left_it_comes_about_or_nothing_changes(started: Callable[..., Daemon], one: Echo) -> None:
    def is_over(times: int) -> bool:
        return daemon.master != daemon.pid or daemon.log().count(FAILED) == times

    daemon = started(web(one))
    before = descriptors(daemon.master)
    for few in range(20):
        prlimit(daemon.master, RLIMIT_NOFILE, (before + few, 1024))
        daemon.signal(SIGUSR2)
        wait_until("it is over", partial(is_over, few + 1))
        if daemon.master != daemon.pid:
            break
        wait_until("all is as it was", lambda: descriptors(daemon.pid) == before)
    assert few > 3
    assert ask(daemon.address()) == "one"
    daemon.stop()


def test_fewer_workers_hear_all_udp_clients_though_the_old_master_is_killed_amid_the_handover(
    started: Callable[..., Daemon],
) -> None:
    def dns(workers: int) -> str:
        return f"""
            main.workers = {workers}
            listeners.dns = {{ bind = "127.0.0.1:0", protocol = "udp", upstream = "dns" }}
            upstreams.dns.servers = ["{server.address}"]
        """

    with UdpEcho("one") as server, ExitStack() as stack:
        daemon = started(dns(2))
        clients = [stack.enter_context(daemon.udp_client()) for _ in range(20)]
        for client in clients:
            assert client.send(b"1").receive() == b"one 1"
        old = daemon.workers()[-1]
        os.kill(old, SIGSTOP)  # so that clients are not steered yet
        daemon.write(dns(1))
        daemon.signal(SIGUSR2)
        daemon.wait_log("upgraded")
        wait_until("there is one worker", lambda: len(daemon.workers()) == 1)
        os.kill(daemon.pid, SIGKILL)
        os.kill(old, SIGKILL)
        wait_until("the old workers are gone", lambda: len(daemon.processes()) == 2)
        for client in clients:
            assert client.send(b"2").receive() == b"one 2"
        daemon.check_log()


def test_the_service_manager_is_told(
    started: Callable[..., Daemon], one: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        daemon = started(web(one))
        assert manager.recv(4096) == b"READY=1"
        daemon.reload()
        assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(4096) == b"READY=1"
        daemon.upgrade()
        assert manager.recv(4096) == b"MAINPID=%d" % daemon.master
        assert manager.recv(4096) == b"READY=1"
        daemon.write("nonsense")
        daemon.signal(SIGHUP)
        assert manager.recv(4096).startswith(b"RELOADING=1\n")
        assert manager.recv(4096) == b"READY=1"
        daemon.stop()
        assert manager.recv(4096) == b"STOPPING=1"
