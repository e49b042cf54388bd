"""Calls: the kernel chooses the name, says who calls, and gives the name to nobody else."""

import os
import socket

import pytest

from l4d.linux import calls


def test_who_calls_by_the_name_is_answered_and_known_by_its_pid() -> None:
    with calls.listen() as listening, calls.call(calls.name_of(listening)) as ours:
        answered = calls.answer(listening)
        assert answered is not None
        theirs, pid = answered
        with theirs:
            assert pid == os.getpid()
            ours.send(b"hello")
            assert theirs.recv(10) == b"hello"
            with pytest.raises(BlockingIOError):
                theirs.recv(10)
        assert calls.answer(listening) is None


def test_a_call_waits_for_whoever_has_the_socket_next() -> None:
    with calls.listen() as listening, calls.call(calls.name_of(listening)):
        with listening.dup() as next_one:
            answered = calls.answer(next_one)
        assert answered is not None
        answered[0].close()


def test_every_name_is_abstract_and_another_one_and_nobody_else_gets_it() -> None:
    with calls.listen() as one, calls.listen() as other, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as thief:
        assert calls.name_of(one).startswith(b"\0")
        assert calls.name_of(one) != calls.name_of(other)
        with pytest.raises(OSError, match="in use"):
            thief.bind(calls.name_of(one))


def test_who_calls_when_there_is_no_room_is_told_so_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BACKLOG", 0)
    with calls.listen() as listening, calls.call(calls.name_of(listening)), pytest.raises(BlockingIOError):
        calls.call(calls.name_of(listening))


def test_nobody_listens_by_a_name_that_was_given_up() -> None:
    with calls.listen() as listening:
        name = calls.name_of(listening)
    with pytest.raises(ConnectionRefusedError):
        calls.call(name)
