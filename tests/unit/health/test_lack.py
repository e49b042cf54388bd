"""Which errors of a check are for a lack of ours."""

import asyncio
import errno

import pytest

from l4d.address import Inet
from l4d.health.lack import NotAskedError, NotAsking, lack_in
from l4d.health.probe import Target


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL])
def test_what_the_system_has_not_enough_of_is_a_lack(number: int) -> None:
    assert lack_in(OSError(number, "x"))


def test_a_lack_is_told_in_the_systems_words() -> None:
    assert lack_in(OSError(errno.EMFILE, "x")) == "too many open files"
    assert lack_in(MemoryError()) == "out of memory"
    assert lack_in(NotAskedError("cannot run it")) == "cannot run it"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "x"),
        TimeoutError(),
        OSError("x"),
        EOFError("x"),
        ValueError("x"),
        None,
    ],
)
def test_what_the_server_does_is_none(error: BaseException | None) -> None:
    assert lack_in(error) == ""


def test_who_cannot_ask_anybody_says_what_is_lacking() -> None:
    probe = NotAsking("password_file: no such file or directory")
    with pytest.raises(NotAskedError) as caught:
        asyncio.run(probe.ask(Target("db", "one", Inet("10.0.0.1", 80))))
    assert lack_in(caught.value) == "password_file: no such file or directory"


@pytest.mark.parametrize("told", [True, False])
def test_a_lack_is_found_behind_a_librarys_error(told: bool) -> None:
    def wrapped() -> None:
        try:
            raise OSError(errno.EMFILE, "x")
        except OSError as error:
            if told:
                raise ValueError("cannot connect") from error
            raise ValueError("cannot connect") from None

    with pytest.raises(ValueError, match="cannot connect") as caught:
        wrapped()
    assert lack_in(caught.value) == "too many open files"


def test_a_probe_that_cannot_ask_says_why() -> None:
    with pytest.raises(NotAskedError) as error:
        asyncio.run(NotAsking("there is no password").ask(Target("web", "one", Inet("192.0.2.1", 80))))
    assert lack_in(error.value) == "there is no password"
