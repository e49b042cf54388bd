"""The sockets of the admin API: whose they are, who may use them, and that they outlive what they should."""

import errno
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.linux.process import become
from tests.kit import Daemon, Start, free_port, processes, wait_until
from tests.kit.api import Api
from tests.kit.command import command
from tests.kit.rights import NOBODY, needs_root

QUIET = '[listeners.web]\nbind = "127.0.0.1:0"\nupstream = "web"\n[upstreams.web]\nservers = ["127.0.0.1:9"]\n'


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter, as /run is."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def config(path: Path, mode: str = "0600", more: str = "") -> str:
    return f'[admin]\nsocket = "{path}"\nsocket_mode = "{mode}"\n{more}\n{QUIET}'


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def reaches(path: Path, user: int) -> bool:
    """Whether *user* gets in."""
    pid = os.fork()
    if pid == 0:
        try:
            become(user, user)
            os._exit(socket.socket(socket.AF_UNIX).connect_ex(str(path)))
        finally:
            os._exit(255)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in {0, errno.EACCES}
    return status == 0


@needs_root
def test_the_mode_of_the_file_says_who_may_use_it(start: Start, folder: Path) -> None:
    path = folder / "l4d.sock"
    daemon = start(f'[main]\nuser = "nobody"\n{config(path)}')
    assert (mode_of(path), path.stat().st_uid) == (0o600, os.getuid()), "who started l4d owns it, though workers do not"
    assert Api(path).get("status")["healthy"]
    assert Api(path).get("upstreams")["upstreams"], "by a thread, which needs no module that nobody may read"
    assert Api(path).ask("GET", "/metrics").status == 200
    assert not reaches(path, NOBODY)
    inode = path.stat().st_ino
    daemon.reload(f'[main]\nuser = "nobody"\n{config(path, "0666")}')
    assert (mode_of(path), path.stat().st_ino) == (0o666, inode)
    assert reaches(path, NOBODY)


def test_a_mode_that_was_changed_by_hand_is_left_alone(start: Start, folder: Path) -> None:
    path = folder / "l4d.sock"
    daemon = start(config(path))
    path.chmod(0o660)
    daemon.reload()
    assert mode_of(path) == 0o660
    daemon.reload(config(path, "0640"))
    assert mode_of(path) == 0o640


def test_the_file_of_a_killed_l4d_is_replaced_and_one_that_is_none_is_not(start: Start, folder: Path) -> None:
    path = folder / "l4d.sock"
    daemon = start(config(path))
    daemon.kill()
    wait_until("nobody is left", lambda: not daemon.processes())
    assert path.is_socket()
    again = start(config(path))
    assert Api(path).get("status")["pid"] == again.pid
    again.stop()
    assert not path.exists()
    path.write_text("precious")
    file = folder / "l4d.toml"
    file.write_text(config(path))
    done = command("-c", file)
    assert (done.returncode, done.stderr) == (
        1,
        f"l4d: cannot listen on tcp unix:{path} (admin.socket): a file that is not a socket has this path\n",
    )
    assert path.read_text() == "precious"


def test_a_second_l4d_is_told_who_has_the_socket(start: Start, folder: Path) -> None:
    path = folder / "l4d.sock"
    daemon = start(config(path))
    file = folder / "second.toml"
    file.write_text(f'[main]\npid_file = "{folder}/second.pid"\n{config(path)}')
    for line in (("-c", file), ("-t", "-c", file)):
        done = command(*line)
        assert done.returncode == 1
        assert done.stderr == f"l4d: tcp unix:{path} is already served by l4d, pid {daemon.pid}\n"
    assert Api(path).get("status")["pid"] == daemon.pid


def test_the_check_takes_what_the_running_l4d_has_for_fine(start: Start, folder: Path) -> None:
    path, port = folder / "l4d.sock", free_port()
    daemon = start(config(path, more=f'listen = "127.0.0.1:{port}"'))
    done = command("-t", "-c", daemon.config)
    assert done.returncode == 0, done.stderr
    assert path.is_socket()


def test_an_address_that_cannot_be_had_is_one_clear_line(start: Start, folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        file = folder / "l4d.toml"
        file.write_text(config(folder / "nowhere" / "l4d.sock", more=f'listen = "127.0.0.1:{port}"'))
        done = command("-t", "-c", file)
        assert done.returncode == 1
        first, second = done.stderr.splitlines()
        assert first.endswith("nowhere/l4d.sock (admin.socket): no such file or directory")
        assert f"cannot listen on tcp 127.0.0.1:{port} (admin.listen): the address is in use, by " in second


def test_a_reload_opens_and_closes_what_the_file_says(start: Start, folder: Path) -> None:
    one, two = folder / "one.sock", folder / "two.sock"
    daemon = start(config(one))
    daemon.reload(config(two))
    assert not one.exists()
    assert Api(two).get("status")["generation"] == 2
    daemon.reload(QUIET)
    assert not two.exists()
    wait_until("no control process is needed", lambda: "l4d: control process" not in titles(daemon))


def titles(daemon: Daemon) -> list[str]:
    return [processes.title(pid) for pid in daemon.processes()]


def test_a_failed_reload_leaves_no_socket_behind(start: Start, folder: Path) -> None:
    one, two = folder / "one.sock", folder / "two.sock"
    daemon = start(config(one))
    daemon.write(config(two).replace("127.0.0.1:0", "203.0.113.1:1"))
    assert Api(one).ask("POST", "/api/v1/reload").status == 409
    assert not two.exists()
    assert Api(one).get("status")["generation"] == 1


def test_an_upgrade_takes_the_sockets_over(start: Start, folder: Path) -> None:
    path = folder / "l4d.sock"
    daemon = start(config(path))
    inode, api = path.stat().st_ino, Api(path)
    started = api.get("status")["started"]
    daemon.upgrade()
    status = api.get("status")
    assert status["pid"] == daemon.master != daemon.pid
    assert path.stat().st_ino == inode
    assert status["started"] == started
    assert [change["what"] for change in status["reloads"]] == ["upgrade", "start"]
    file = folder / "second.toml"
    file.write_text(f'[main]\npid_file = "{folder}/second.pid"\n{config(path)}')
    assert command("-t", "-c", file).stderr == f"l4d: tcp unix:{path} is already served by l4d, pid {daemon.master}\n"
    daemon.stop()
    assert not path.exists()
