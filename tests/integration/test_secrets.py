"""Passwords of checks: read at the start and at each reload, and shown nowhere."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGHUP

import pytest

from tests.kit import Peer, Server, Start, command
from tests.kit.rights import needs_root

SECRET = "hunter2-is-the-word"


def config(address: object, check: str, more: str = "") -> str:
    return f"""
        [log]
        level = "debug"

        [listeners.cache]
        bind = "127.0.0.1:0"
        upstream = "cache"

        [upstreams.cache]
        servers = [{{ address = "{address}", name = "one" }}]
        check = {{ type = "redis", interval = "100ms", {check} }}

        [main]
        workers = 1
        {more}
    """


def written(folder: Path, check: str) -> Path:
    file = folder / "l4d.toml"
    file.write_text(config("127.0.0.1:1", check))
    return file


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def hears_it(server: Server) -> Peer:
    """The connection of a check that logs in with the secret."""
    peer = server.accept()
    words = b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%b\r\n" % (len(SECRET), SECRET.encode())
    assert peer.read(len(words)) == words
    return peer


def test_the_effective_configuration_does_not_show_it(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L4D_TEST_PASSWORD", SECRET)
    for check in (f'password_file = "{secret}"', 'password_env = "L4D_TEST_PASSWORD"'):
        for options in (("-T",), ("-t",)):
            ended = command(*options, "-c", written(tmp_path, check))
            assert ended.returncode == 0, ended
            assert SECRET not in ended.stdout + ended.stderr
            assert check in ended.stdout or options == ("-t",)


def test_a_password_file_that_cannot_be_read_is_found_by_a_check_of_the_configuration(tmp_path: Path) -> None:
    file = written(tmp_path, f'password_file = "{tmp_path}/nowhere"')
    for options in (("-t",), ()):
        ended = command(*options, "-c", file)
        words = f"l4d: upstreams.cache.check.password_file: {tmp_path}/nowhere: no such file or directory\n"
        assert (ended.returncode, ended.stderr) == (1, words)


def test_one_that_l4d_may_not_read_is_found_too(secret: Path, tmp_path: Path) -> None:
    secret.chmod(0)
    ended = command("-t", "-c", written(tmp_path, f'password_file = "{secret}"'), rights=False)
    words = f"l4d: upstreams.cache.check.password_file: {secret}: permission denied\n"
    assert (ended.returncode, ended.stderr) == (1, words)


@needs_root
def test_it_may_be_roots_alone_though_l4d_gives_root_up(start: Start, server: Server, secret: Path) -> None:
    secret.chmod(0o600)
    check = f'password_file = "{secret}"'
    start(config(server.address, check, 'user = "nobody"'))
    hears_it(server).close()


def test_a_server_that_sends_it_back_is_logged_without_it(start: Start, server: Server, secret: Path) -> None:
    with ThreadPoolExecutor(1) as pool:  # l4d is ready when it has an answer
        answering = pool.submit(
            lambda: hears_it(server).send(f"-ERR unknown command AUTH {SECRET}\r\n".encode()).close()
        )
        daemon = start(config(server.address, f'password_file = "{secret}"'))
        answering.result()
    daemon.wait_log("server cache/one is down: the check failed: ERR unknown command AUTH ***")
    assert SECRET not in daemon.log()


def test_a_reload_reads_it_again_and_one_that_has_gone_changes_nothing(
    start: Start, server: Server, secret: Path
) -> None:
    secret.write_text("the old one\n")
    daemon = start(config(server.address, f'password_file = "{secret}"'))
    server.accept().close()
    secret.write_text(f"{SECRET}\n")
    daemon.reload()
    while not hears(server):
        pass
    secret.unlink()
    daemon.signal(SIGHUP)
    daemon.wait_log(f"upstreams.cache.check.password_file: {secret}: no such file or directory")
    assert daemon.generation() == 2
    hears_it(server).close()


def hears(server: Server) -> bool:
    with server.accept() as peer:
        return SECRET.encode() in peer.socket.recv(1000)
