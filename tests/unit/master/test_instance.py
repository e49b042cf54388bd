"""One instance for an address."""

import os
import socket
from pathlib import Path

import pytest

from l4d.address import Inet, Unix
from l4d.errors import StartError
from l4d.master import instance
from l4d.terms import Protocol
from tests.kit.processes import descriptors

ADDRESS = Inet("203.0.113.77", os.getpid() % 65535 + 1)
"""Nobody's; nothing is ever bound to it."""


def test_an_address_that_nobody_serves_has_no_holder() -> None:
    assert instance.holder(Protocol.TCP, ADDRESS) == 0


def test_a_second_instance_is_told_who_serves_the_address() -> None:
    with instance.lock(Protocol.TCP, ADDRESS):
        before = descriptors(os.getpid())
        with pytest.raises(StartError, match=rf"tcp {ADDRESS} is already served by l4d, pid {os.getpid()}"):
            instance.lock(Protocol.TCP, ADDRESS)
        assert descriptors(os.getpid()) == before
    assert instance.holder(Protocol.TCP, ADDRESS) == 0


def test_the_tenth_who_asks_is_still_told_the_pid() -> None:
    with instance.lock(Protocol.TCP, ADDRESS):
        assert [instance.holder(Protocol.TCP, ADDRESS) for _ in range(10)] == [os.getpid()] * 10


def test_an_address_is_free_again_when_its_lock_is_closed() -> None:
    instance.lock(Protocol.TCP, ADDRESS).close()
    instance.lock(Protocol.TCP, ADDRESS).close()


def test_the_same_address_for_tcp_and_udp_is_two() -> None:
    with instance.lock(Protocol.TCP, ADDRESS), instance.lock(Protocol.UDP, ADDRESS):
        assert instance.holder(Protocol.UDP, ADDRESS) == os.getpid()


def test_another_port_is_another_address() -> None:
    other = ADDRESS.with_port(ADDRESS.port % 65535 + 1)
    with instance.lock(Protocol.TCP, ADDRESS):
        assert instance.holder(Protocol.TCP, other) == 0


def test_two_long_paths_are_two_addresses(tmp_path: Path) -> None:
    """A path may have 107 bytes, as many as the name of the lock."""
    folder = str(tmp_path)
    one, other = (Unix(f"{folder}/{'x' * (106 - len(folder.encode()) - 1)}{end}") for end in "ab")
    assert len(one.path) == 107
    with instance.lock(Protocol.TCP, one), instance.lock(Protocol.TCP, other):
        assert instance.holder(Protocol.TCP, other) == os.getpid()


def test_what_else_goes_wrong_is_not_called_another_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: socket.socket, _name: bytes) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(PermissionError):
        instance.lock(Protocol.TCP, ADDRESS)
