"""OpenSSH: it speaks first, and carries a tree of files."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import Daemon, Start, needs
from tests.kit.programs import LOOPBACK, port_of, run
from tests.kit.servers import Sshd

pytestmark = needs("sshd", "ssh", "ssh-keygen")

SIZES = [0, 1, 1000, 65_536, 300_000, 1_000_000, 6_000_000, 13_000_000]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path) as sshd:
        yield sshd


@pytest.fixture
def daemon(start: Start, sshd: Sshd) -> Daemon:
    """l4d in front of sshd."""
    return start(f"""
        [listeners.ssh]
        bind = "127.0.0.1:0"
        upstream = "ssh"

        [upstreams.ssh]
        servers = ["{sshd.address}"]
    """)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Folders and files of 20 MB together."""
    tree = tmp_path / "tree"
    chance = random.Random(2)
    for number, size in enumerate(SIZES):
        file = tree / f"folder{number % 3}" / f"file{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(size))
    return tree


def test_the_banner_comes_before_the_client_has_said_a_word(daemon: Daemon) -> None:
    waited = []
    for _ in range(5):
        with daemon.client() as client:
            connected = time.monotonic()
            assert client.read_line().startswith(b"SSH-2.0-OpenSSH")
            waited.append(time.monotonic() - connected)
    assert min(waited) < 0.1


@needs("rsync")
def test_rsync_carries_a_tree_there_and_back(daemon: Daemon, sshd: Sshd, tree: Path, tmp_path: Path) -> None:
    shell = " ".join(["ssh", "-p", str(port_of(daemon.address())), *sshd.client_options])
    there, back = tmp_path / "there", tmp_path / "back"
    run("rsync", "-a", "-e", shell, f"{tree}/", f"{LOOPBACK}:{there}/")
    run("rsync", "-a", "-e", shell, f"{LOOPBACK}:{there}/", f"{back}/")
    assert _contents(there) == _contents(tree)
    assert _contents(back) == _contents(tree)


@needs("scp")
def test_scp_carries_a_tree_there_and_back(daemon: Daemon, sshd: Sshd, tree: Path, tmp_path: Path) -> None:
    scp = ("scp", "-r", "-q", "-P", str(port_of(daemon.address())), *sshd.client_options)
    there, back = tmp_path / "there", tmp_path / "back"
    run(*scp, tree, f"{LOOPBACK}:{there}")
    run(*scp, f"{LOOPBACK}:{there}", back)
    assert _contents(there) == _contents(tree)
    assert _contents(back) == _contents(tree)


def _contents(tree: Path) -> dict[Path, bytes]:
    return {file.relative_to(tree): file.read_bytes() for file in tree.rglob("*") if file.is_file()}
