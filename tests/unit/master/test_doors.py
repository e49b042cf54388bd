"""The doors of the admin API: opened together, kept where they stay, closed where they do not."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.address import Address, Inet, Unix
from l4d.config.model import Admin
from l4d.errors import StartError
from l4d.master.doors import Door, Doors
from tests.kit.processes import own_descriptors

ANY_PORT = Inet("127.0.0.1", 0)


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    before = own_descriptors()
    yield
    assert own_descriptors() == before


def admin(path: Path | str = "", listen: Inet | None = None, mode: int = 0o600) -> Admin:
    return Admin(str(path), mode, listen, ())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def release(doors: dict[Address, Door]) -> None:
    for door in doors.values():
        door.release()


def test_without_an_address_there_is_none() -> None:
    doors = Doors(admin(), {})
    assert doors.sockets == ()
    assert doors.settle({}) == {}


def test_both_are_opened_and_told(tmp_path: Path) -> None:
    doors = Doors(admin(tmp_path / "x", ANY_PORT), {})
    unix, inet = doors.sockets
    port = inet.getsockname()[1]
    assert list(doors.opened()) == [
        f"admin API on unix:{tmp_path}/x",
        f"admin API on tcp 127.0.0.1:{port}, read only",
    ]
    held = doors.settle({})
    with socket.socket() as client:
        assert client.connect_ex(inet.getsockname()) == 0
    assert not unix.getblocking()
    release(held)
    assert not (tmp_path / "x").exists()


def test_what_is_held_stays_the_same_socket_and_a_new_mode_is_set(tmp_path: Path) -> None:
    path = tmp_path / "x"
    held = Doors(admin(path, ANY_PORT), {}).settle({})
    again = Doors(admin(path, ANY_PORT, 0o660), held)
    assert list(again.opened()) == []
    assert mode_of(path) == 0o600, "not before it is the present"
    settled = again.settle(held)
    assert settled == held
    assert mode_of(path) == 0o660
    path.chmod(0o666)
    assert Doors(admin(path, ANY_PORT, 0o660), held).settle(held) == held
    assert mode_of(path) == 0o666, "what an operator did by hand is left alone"
    release(settled)


def test_one_whose_file_was_removed_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "x"
    held = Doors(admin(path), {}).settle({})
    path.unlink()
    Doors(admin(path), held).drop()
    assert not path.exists()
    following = Doors(admin(path, mode=0o660), held)
    assert list(following.opened()) == [f"admin API on unix:{path}"]
    settled = following.settle(held)
    assert mode_of(path) == 0o660
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    with pytest.raises(StartError, match="is already served"):
        Doors(admin(path), {})
    release(settled)
    assert not path.exists()


def test_what_is_not_wanted_any_more_is_closed_when_the_next_is_the_present(tmp_path: Path) -> None:
    held = Doors(admin(tmp_path / "x"), {}).settle({})
    following = Doors(admin(tmp_path / "y"), held)
    assert (tmp_path / "x").exists()
    settled = following.settle(held)
    assert list(settled) == [Unix(f"{tmp_path}/y")]
    assert not (tmp_path / "x").exists()
    release(settled)


def test_one_that_is_dropped_closes_what_it_has_opened_alone(tmp_path: Path) -> None:
    held = Doors(admin(tmp_path / "x"), {}).settle({})
    Doors(admin(tmp_path / "x", ANY_PORT), held).drop()
    assert (tmp_path / "x").exists()
    assert os.fstat(held[Unix(f"{tmp_path}/x")].sock.fileno())
    release(held)


def test_all_that_cannot_be_opened_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(StartError) as caught:
        Doors(admin(tmp_path / "x", Inet("203.0.113.1", 9)), {})
    assert caught.value.messages == (
        f"cannot listen on tcp unix:{tmp_path}/x (admin.socket): a file that is not a socket has this path",
        "cannot listen on tcp 203.0.113.1:9 (admin.listen): this machine has no such address",
    )
    assert (tmp_path / "x").exists()


def test_of_two_only_one_may_have_an_address(tmp_path: Path) -> None:
    held = Doors(admin(tmp_path / "x"), {}).settle({})
    with pytest.raises(StartError) as caught:
        Doors(admin(tmp_path / "x", ANY_PORT), {})
    assert caught.value.messages == (f"tcp unix:{tmp_path}/x is already served by l4d, pid {os.getpid()}",)
    release(held)
