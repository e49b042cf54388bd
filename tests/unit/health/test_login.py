"""Logging in: the secret stays where it is, and what went wrong is told in few words."""

import pytest

from l4d.health.login import Login, as_wanted
from l4d.health.make import make_probe
from l4d.health.probe import Answer
from l4d.terms import CheckType, Role
from tests.unit.health.making import make_check

SECRET = "hunter2"


@pytest.mark.parametrize("kind", [CheckType.REDIS, CheckType.POSTGRES, CheckType.MYSQL])
def test_no_probe_shows_it(kind: CheckType) -> None:
    probe = make_probe(make_check(kind, user="l4d"), SECRET)
    for thing in (probe, vars(probe), Login(make_check(kind, user="l4d"), SECRET)):
        assert SECRET not in repr(thing)


def test_a_server_that_sends_it_back_is_not_quoted() -> None:
    login = Login(make_check(CheckType.REDIS), SECRET)
    assert login.failure(ValueError(f"unknown command AUTH {SECRET}")) == "unknown command AUTH ***"


def test_an_error_of_the_system_speaks_for_itself() -> None:
    login = Login(make_check(CheckType.REDIS), None)
    wrapped = ValueError("Error 111 connecting")
    wrapped.__context__ = ConnectionRefusedError(111, "Connect call failed")
    assert login.failure(wrapped) == "connection refused"


def test_of_errors_around_each_other_the_innermost_speaks() -> None:
    login = Login(make_check(CheckType.MYSQL), None)
    wrapped = ValueError("cannot connect")
    wrapped.__cause__ = ValueError("unknown plugin")
    assert login.failure(wrapped) == "unknown plugin"
    assert login.failure(EOFError()) == "EOFError"


def test_what_a_library_trips_over_is_told_as_the_servers_being_of_another_kind() -> None:
    login = Login(make_check(CheckType.MYSQL), SECRET)
    known = (EOFError, OSError)
    assert login.failure(EOFError("closed"), known, "MySQL") == "closed"
    assert login.failure(KeyError(f"of {SECRET}"), known, "MySQL") == "not MySQL as we know it: 'of ***'"
    wrapped = EOFError("cannot log in")
    wrapped.__cause__ = AssertionError()
    assert login.failure(wrapped, known, "MySQL") == "not MySQL as we know it: AssertionError"


def test_a_role_counts_at_once() -> None:
    assert as_wanted(Role.PRIMARY, Role.PRIMARY) == Answer(well=True, why="is a primary", definite=True)
    assert as_wanted(Role.PRIMARY, Role.REPLICA) == Answer(well=False, why="is a replica", definite=True)
