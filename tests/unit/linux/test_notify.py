"""What the service manager hears."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.linux import notify


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    name = f"@l4d-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1) if request.param == "abstract" else name)
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield manager


def test_each_state_is_one_datagram(manager: socket.socket) -> None:
    notify.ready()
    notify.stopping()
    notify.main_pid(4711)
    assert [manager.recv(4096) for _ in range(3)] == [b"READY=1", b"STOPPING=1", b"MAINPID=4711"]


def test_a_reload_says_when_it_began(manager: socket.socket) -> None:
    before = time.monotonic_ns() // 1000
    notify.reloading()
    first, second = manager.recv(4096).split(b"\n")
    assert first == b"RELOADING=1"
    name, _, number = second.partition(b"=")
    assert name == b"MONOTONIC_USEC"
    assert before <= int(number) <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("name", ["", "vsock:2:1", "relative", "/nonexistent/notify", "@nobody", "/" + "x" * 200])
def test_nobody_who_could_hear_is_no_trouble(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    notify.ready()


def test_without_a_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify.ready()


def test_a_manager_that_does_not_read_holds_nobody_up(manager: socket.socket) -> None:
    for _ in range(10_000):
        notify.ready()
    assert manager.recv(4096) == b"READY=1"
