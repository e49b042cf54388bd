"""Fixtures for the tests that talk: l4d itself, and a server behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import Daemon, Server, Start
from tests.kit.needs import require_programs


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): wants these outside programs; see tests/kit/needs.py")


def pytest_runtest_setup(item: pytest.Item) -> None:
    require_programs(item)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start l4d on a configuration, as often as the test likes; each one is stopped and looked over at the end."""
    started: list[Daemon] = []

    def start(toml: str, *args: str) -> Daemon:
        folder = tmp_path / f"l4d-{len(started)}"
        folder.mkdir()
        started.append(Daemon(toml, folder, args))
        return started[-1]

    yield start
    try:
        for daemon in started:
            daemon.stop()
    finally:
        for daemon in started:
            daemon.kill()


@pytest.fixture
def server() -> Iterator[Server]:
    """A TCP server that accepts when the test says so."""
    with Server() as server:
        yield server


@pytest.fixture
def daemon(start: Start, server: Server) -> Daemon:
    """l4d with one TCP listener in front of `server`."""
    return start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
