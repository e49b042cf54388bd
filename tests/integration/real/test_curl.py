"""curl, and a file of 20 MB."""

import filecmp
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import Daemon, Start, is_alive, needs, wait_until
from tests.kit.programs import Running, run
from tests.kit.servers import Web

pytestmark = needs("curl")

SIZE = 20 << 20
CURL = ("curl", "-q", "-sS", "--fail")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What is downloaded."""
    file = tmp_path / "served" / "file"
    file.parent.mkdir()
    file.write_bytes(random.Random(2).randbytes(SIZE))
    return file


@pytest.fixture
def web(tmp_path: Path, file: Path) -> Iterator[Web]:
    with Web(tmp_path, file.parent) as web:
        yield web


@pytest.fixture(params=["auto", "copy", "splice"])
def relay(request: pytest.FixtureRequest) -> str:
    """How l4d moves the bytes."""
    return str(request.param)


@pytest.fixture
def daemon(start: Start, web: Web, relay: str) -> Daemon:
    """l4d in front of the file."""
    return start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"

        [upstreams.web]
        servers = ["{web.address}"]
    """)


def test_a_download_is_the_file_byte_by_byte(daemon: Daemon, file: Path, tmp_path: Path) -> None:
    got = tmp_path / "got"
    run(*CURL, "-o", got, f"http://{daemon.address()}/file")
    assert filecmp.cmp(got, file, shallow=False)


def test_parallel_downloads_do_not_mix(daemon: Daemon, file: Path, tmp_path: Path) -> None:
    got = [tmp_path / f"got{number}" for number in range(8)]
    wanted = [word for one in got for word in ("-o", one, f"http://{daemon.address()}/file")]
    run(*CURL, "--parallel", "--parallel-immediate", *wanted)
    assert all(filecmp.cmp(one, file, shallow=False) for one in got)


def test_a_reload_does_not_break_a_download(daemon: Daemon, file: Path, tmp_path: Path) -> None:
    got = tmp_path / "got"
    slowly = (*CURL, "--limit-rate", "10M", "-o", got)
    with Running(tmp_path, *slowly, f"http://{daemon.address()}/file") as curl:
        wait_until("the download has begun", lambda: got.exists() and got.stat().st_size > SIZE // 10)
        old = daemon.workers()
        daemon.reload()
        wait_until("others take the clients", lambda: not set(old) & set(daemon.workers()))
        assert not curl.has_ended()
        curl.finish()
    assert filecmp.cmp(got, file, shallow=False)
    wait_until("the old workers have left", lambda: not any(map(is_alive, old)))
