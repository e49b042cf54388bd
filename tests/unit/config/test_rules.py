"""What must hold among the keys of one check."""

import importlib.util
from typing import Any

import pytest

from l4d.config.checks import CHECK
from l4d.config.rules import broken
from l4d.terms import CheckType, Role

TCP, TLS, HTTP, UDP, DNS, EXEC = (
    CheckType.TCP,
    CheckType.TLS,
    CheckType.HTTP,
    CheckType.UDP,
    CheckType.DNS,
    CheckType.EXEC,
)
TALK, POSTGRES, MYSQL, REDIS = CheckType.SEND_EXPECT, CheckType.POSTGRES, CheckType.MYSQL, CheckType.REDIS
NEEDS_USER = "needs a 'user' to log in as"


def told(kind: CheckType, *wrong: str, **values: Any) -> list[tuple[str, str]]:
    """What is told of a check with *values*, in which the keys *wrong* could not be read."""
    values = {"type": kind, **values}
    return list(broken(CHECK, values, {*values, *wrong}))


@pytest.mark.parametrize(
    ("kind", "values", "key", "words"),
    [
        (TCP, {"path": "/"}, "path", "is for checks of type http; this one is tcp"),
        (REDIS, {"database": "x"}, "database", "is for checks of type postgres or mysql; this one is redis"),
        (TALK, {}, "", "a check of type send_expect needs 'expect' or 'expect_hex'"),
        (TALK, {"expect": ""}, "", "a check of type send_expect needs 'expect' or 'expect_hex'"),
        (UDP, {"expect": "x"}, "", "a check of type udp needs 'send' or 'send_hex'"),
        (DNS, {}, "", "a check of type dns needs 'query'"),
        (EXEC, {}, "", "a check of type exec needs 'command'"),
        (EXEC, {"command": {}}, "", "a check of type exec needs 'command'"),
        (UDP, {"send": "a", "send_hex": b"a"}, "send_hex", "cannot be given beside 'send'"),
        (TALK, {"expect": "a", "expect_hex": b"a"}, "expect_hex", "cannot be given beside 'expect'"),
        (
            REDIS,
            {"password_file": "/a", "password_env": "A"},
            "password_env",
            "cannot be given beside 'password_file'",
        ),
        (
            HTTP,
            {"method": "HEAD", "body": "x"},
            "body",
            "has no effect with method 'HEAD', which is answered without a body",
        ),
        (HTTP, {"verify": False}, "verify", "has no effect without 'tls = true'"),
        (HTTP, {"tls": False, "server_name": "a"}, "server_name", "has no effect without 'tls = true'"),
        (HTTP, {"ca_file": "/a"}, "ca_file", "has no effect without 'tls = true'"),
        (HTTP, {"tls": True, "ca_file": "/a", "verify": False}, "ca_file", "has no effect with 'verify = false'"),
        (TLS, {"ca_file": "/a", "verify": False}, "ca_file", "has no effect with 'verify = false'"),
        (POSTGRES, {"role": Role.PRIMARY}, "role", NEEDS_USER),
        (MYSQL, {"password_env": "A"}, "password_env", NEEDS_USER),
        (MYSQL, {"password_file": "/a", "user": ""}, "password_file", NEEDS_USER),
        (POSTGRES, {"database": "a"}, "database", NEEDS_USER),
        (REDIS, {"user": "a", "password_env": ""}, "user", "needs 'password_file' or 'password_env'"),
        (EXEC, {"command": {0: ""}}, "command", "must begin with the name of a program"),
        (EXEC, {"command": {0: "bin/check"}}, "command", "'bin/check': a path must be absolute"),
        (
            EXEC,
            {"command": {0: "/bin/check -v"}},
            "command",
            'is the name of one program; write its arguments beside it: ["/bin/check", "-v"]',
        ),
    ],
)
def test_what_does_not_hold_is_told_at_its_key(kind: CheckType, values: dict[str, Any], key: str, words: str) -> None:
    assert told(kind, **values) == [(key, words)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TCP, {}),
        (HTTP, {"tls": False, "verify": True, "server_name": "", "ca_file": "", "method": "HEAD", "body": ""}),
        (HTTP, {"tls": True, "verify": False, "server_name": "a"}),
        (TALK, {"send": "", "send_hex": b"x", "expect": "", "expect_hex": b"x"}),
        (POSTGRES, {"role": Role.ANY, "user": "", "database": "", "password_file": ""}),
        (POSTGRES, {"role": Role.REPLICA, "user": "a"}),
        (REDIS, {"role": Role.REPLICA, "password_env": "A"}),
        (REDIS, {"user": "a", "password_file": "/a"}),
        (EXEC, {"command": {0: "check", 1: "-v", 2: "a b"}}),
        (EXEC, {"command": {0: "/my checks/check", 1: ""}}),
        (CheckType.OFF, {"path": "/", "send": "a", "send_hex": b"a"}),
    ],
)
def test_of_what_holds_nothing_is_told(kind: CheckType, values: dict[str, Any]) -> None:
    assert told(kind, **values) == []


@pytest.mark.parametrize(
    ("kind", "wrong", "values"),
    [
        (TALK, "expect", {}),
        (UDP, "send", {}),
        (DNS, "query", {}),
        (EXEC, "command", {}),
        (HTTP, "tls", {"verify": False}),
        (POSTGRES, "user", {"role": Role.PRIMARY}),
        (REDIS, "password_file", {"user": "a"}),
    ],
)
def test_a_key_that_could_not_be_read_is_not_called_missing(
    kind: CheckType, wrong: str, values: dict[str, Any]
) -> None:
    assert told(kind, wrong, **values) == []


def test_nothing_is_told_of_a_check_whose_type_is_not_known() -> None:
    assert list(broken(CHECK, {"path": "/", "send": "x"}, {"type", "path", "send"})) == []


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without any client library."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    ("kind", "values", "library"),
    [
        (POSTGRES, {"user": "a"}, "asyncpg"),
        (MYSQL, {"user": "a"}, "aiomysql"),
    ],
)
def test_a_login_needs_the_library_of_its_protocol(kind: CheckType, values: dict[str, Any], library: str) -> None:
    way_out = f"install l4d[{kind.value}] or python3-{library}"
    assert told(kind, **values) == [("type", f"'{kind.value}' needs the Python package {library}; {way_out}")]


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize("kind", [POSTGRES, MYSQL, REDIS, TCP])
def test_without_a_login_no_library_is_needed(kind: CheckType) -> None:
    assert told(kind) == []
