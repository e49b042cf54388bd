"""The keys of a check: what each type of check is made of."""

import pytest

from l4d.config.checks import CHECK, CHECK_TABLE
from l4d.config.model import Check
from l4d.config.reading import read_value
from l4d.config.show import plain
from l4d.terms import CheckType, Role
from tests.unit.config.helpers import document, problems_of

COMMON = ["type", "interval", "timeout", "fall", "rise", "port"]

LEAST: dict[CheckType, dict[str, object]] = {
    CheckType.SEND_EXPECT: {"expect": "x"},
    CheckType.UDP: {"send_hex": "00"},
    CheckType.DNS: {"query": "."},
    CheckType.EXEC: {"command": "true"},
}
"""What a type cannot do without."""


def read(value: object) -> tuple[Check | None, list[str]]:
    problems = document("").problems
    check = read_value(CHECK_TABLE, value, ("check",), problems)
    return check, [problem.removeprefix("a.toml: ") for problem in problems_of(problems)]


def right(value: object) -> Check:
    check, problems = read(value)
    assert problems == []
    assert check is not None
    return check


@pytest.mark.parametrize("kind", CheckType, ids=lambda kind: kind.value)
def test_every_type_can_be_a_table_that_reads_back_as_equal(kind: CheckType) -> None:
    check = right({"type": kind.value, **LEAST.get(kind, {})})
    assert check.type is kind
    assert right(plain(CHECK_TABLE, check)) == check


@pytest.mark.parametrize("kind", [one for one in CheckType if one not in LEAST], ids=lambda kind: kind.value)
def test_a_type_that_needs_nothing_can_be_a_word(kind: CheckType) -> None:
    assert right(kind.value) == right({"type": kind.value})


@pytest.mark.parametrize("kind", LEAST, ids=lambda kind: kind.value)
def test_a_type_that_needs_something_cannot_be_a_word(kind: CheckType) -> None:
    check, problems = read(kind.value)
    assert check is None
    assert [problem.split(" needs ")[0] for problem in problems] == [f"check: a check of type {kind.value}"]


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (CheckType.TCP, []),
        (CheckType.TLS, ["verify", "server_name", "ca_file"]),
        (
            CheckType.HTTP,
            ["path", "host", "method", "status", "body", "tls", "verify", "server_name", "ca_file"],
        ),
        (CheckType.SEND_EXPECT, ["send", "send_hex", "expect", "expect_hex"]),
        (CheckType.UDP, ["send", "send_hex", "expect", "expect_hex"]),
        (CheckType.DNS, ["query", "query_type", "answer"]),
        (CheckType.POSTGRES, ["role", "user", "password_file", "password_env", "database"]),
        (CheckType.MYSQL, ["role", "user", "password_file", "password_env", "database"]),
        (CheckType.REDIS, ["role", "user", "password_file", "password_env"]),
        (CheckType.EXEC, ["command"]),
        (CheckType.AGENT, ["send"]),
    ],
)
def test_each_type_has_its_own_keys(kind: CheckType, keys: list[str]) -> None:
    assert [name for name, key in CHECK.keys.items() if key.fits(kind)] == COMMON + keys
    assert list(CHECK_TABLE.take(right({"type": kind.value, **LEAST.get(kind, {})})) or {}) == COMMON + keys


def test_everything_written_arrives() -> None:
    check = right(
        {
            "type": "http",
            "interval": "500ms",
            "timeout": 3,
            "fall": 1,
            "rise": 65535,
            "port": 8080,
            "path": "/x",
            "host": "h:1",
            "method": "POST",
            "status": [204, "300-302"],
            "body": "ok",
            "tls": True,
            "server_name": "a.example",
            "ca_file": "/ca.pem",
        }
    )
    assert (check.interval, check.timeout, check.fall, check.rise, check.port) == (0.5, 3, 1, 65535, 8080)
    assert (check.path, check.host, check.method, check.body) == ("/x", "h:1", "POST", "ok")
    assert check.status == ((204, 204), (300, 302))
    assert (check.tls, check.verify, check.server_name, check.ca_file) == (True, True, "a.example", "/ca.pem")


def test_what_is_sent_can_be_written_in_either_way() -> None:
    assert right({"type": "udp", "send": "a\r\nü"}).payload == b"a\r\n\xc3\xbc"
    assert right({"type": "udp", "send_hex": "00 ff"}).payload == b"\0\xff"
    assert right({"type": "agent", "send": "state\n"}).payload == b"state\n"


def test_a_database_is_asked_for_its_role() -> None:
    check = right({"type": "postgres", "user": "l4d", "password_env": "PW", "role": "replica", "database": "d"})
    assert (check.user, check.password_env, check.role, check.database) == ("l4d", "PW", Role.REPLICA, "d")
    assert right({"type": "redis", "role": "primary"}).role is Role.PRIMARY


def test_a_check_that_is_off_is_off_whatever_it_had() -> None:
    assert right({"type": "off", "interval": "9s", "path": "/x", "send": "y"}) == right("off")
    assert CHECK_TABLE.take(right("off")) is None
    assert read({"type": "off", "path": 3})[1] == ["check.path: must be a string, not 3"]


WORDS = "off, tcp, tls, http, send_expect, udp, dns, postgres, mysql, redis, exec or agent"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, [f"check: must be {WORDS}, not 5"]),
        ([], [f"check: must be {WORDS}, not a list"]),
        ("htpp", [f"check: must be {WORDS}, not 'htpp'"]),
        ({}, [f"check: has no 'type': {WORDS.replace(' or', ',')}"]),
        ({"typ": "tcp"}, ["check.typ: no such key; did you mean 'type'?"]),
        ({"type": []}, [f"check.type: must be {WORDS}, not a list"]),
        (
            {"type": "htpp", "path": "x", "fall": 0, "port": 65536},
            [
                "check.fall: must be a whole number from 1 to 65535, not 0",
                "check.path: must be a path like '/healthz', of ASCII without spaces and '#', not 'x'",
                "check.port: must be a whole number from 0 to 65535, not 65536",
                f"check.type: must be {WORDS}, not 'htpp'",
            ],
        ),
        ({"type": "tcp", "interval": "0"}, ["check.interval: must be more than 0"]),
        ({"type": "http", "status": []}, ["check.status: must not be empty"]),
        (
            {"type": "http", "status": [200, "x", 9]},
            [
                "check.status[1]: must be an HTTP status or a range, as in 204 or \"200-399\", not 'x'",
                'check.status[2]: must be an HTTP status or a range, as in 204 or "200-399", not 9',
            ],
        ),
        ({"type": "postgres", "role": "main"}, ["check.role: must be \"\", primary or replica, not 'main'"]),
    ],
)
def test_what_is_wrong_with_a_key_is_told_at_the_key(value: object, said: list[str]) -> None:
    assert read(value) == (None, said)


def test_what_is_wrong_with_a_key_hides_nothing_that_is_wrong_with_another() -> None:
    assert read({"type": "http", "interval": "x", "send": "y", "verify": False}) == (
        None,
        [
            'check.interval: must be a duration like "500ms", "10s", "5m" or "2h", or a number of seconds, not \'x\'',
            "check.send: is for checks of type send_expect, udp or agent; this one is http",
            "check.verify: has no effect without 'tls = true'",
        ],
    )
