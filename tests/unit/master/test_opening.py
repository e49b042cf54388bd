"""Opening an address: all of it or nothing, and one line that says why not."""

import errno
import os
from pathlib import Path

import pytest

from l4d.address import Address, Inet, Unix
from l4d.errors import StartError
from l4d.linux import listening, steering
from l4d.master.opening import explain, open_address
from l4d.terms import Protocol
from tests.kit import free_port
from tests.kit.processes import own_descriptors
from tests.unit.making import listener

TCP = listener()
UDP = listener(protocol=Protocol.UDP)
HERE = Inet("127.0.0.1", 0)


def refuse(*_args: object) -> None:
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


@pytest.mark.parametrize("port", [0, 1])
@pytest.mark.parametrize("step", ["bind", "attach"])
def test_an_address_that_cannot_be_had_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, port: int, step: str
) -> None:
    monkeypatch.setattr(listening if step == "bind" else steering, step, refuse)
    address = Inet("127.0.0.1", port and free_port())
    before = own_descriptors()
    with pytest.raises(OSError, match="Cannot allocate memory"):
        open_address(UDP, address, 2, in_our_way=False, left=False)
    assert own_descriptors() == before


def test_an_address_is_locked_from_here_on() -> None:
    bound = open_address(TCP, HERE, 2, in_our_way=False, left=False)
    before = own_descriptors()
    with pytest.raises(StartError, match=f"is already served by l4d, pid {os.getpid()}"):
        open_address(TCP, bound.address, 2, in_our_way=True, left=True)
    assert own_descriptors() == before
    bound.close()


def test_only_in_our_own_way_an_address_that_overlaps_is_fine() -> None:
    first = open_address(UDP, HERE, 2, in_our_way=False, left=False)
    assert isinstance(first.address, Inet)
    every = Inet("0.0.0.0", first.address.port)
    with pytest.raises(OSError, match="Address already in use"):
        open_address(UDP, every, 2, in_our_way=False, left=False)
    second = open_address(UDP, every, 2, in_our_way=True, left=False)
    assert second.steered
    second.close()
    first.close()


def test_a_unix_socket_is_not_steered(tmp_path: Path) -> None:
    bound = open_address(TCP, Unix(str(tmp_path / "front")), 2, in_our_way=False, left=False)
    assert not bound.steered
    bound.release()
    assert not (tmp_path / "front").exists()


@pytest.mark.parametrize(
    ("address", "number", "why"),
    [
        (HERE, errno.EMFILE, "too many open files; each worker has a socket for each address (ulimit -n)"),
        (HERE, errno.EACCES, "ports below 1024 need root or CAP_NET_BIND_SERVICE"),
        (HERE, errno.EADDRNOTAVAIL, "this machine has no such address"),
        (HERE, errno.ENOMEM, "cannot allocate memory"),
        (Unix("/nowhere/front"), errno.EACCES, "permission denied"),
        (Unix("/dev/null"), errno.EADDRINUSE, "a file that is not a socket has this path"),
    ],
)
def test_why_an_address_cannot_be_had_is_one_line(address: Address, number: int, why: str) -> None:
    told = explain(TCP.protocol, address, "listeners.web", OSError(number, os.strerror(number)))
    assert told == f"cannot listen on tcp {address} (listeners.web): {why}"
