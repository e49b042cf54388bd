"""What must hold among the keys of one check: which belong to its type, and which need, or exclude, each other."""

import importlib.util
import os
from collections.abc import Collection, Iterator
from typing import TypeAlias

from l4d.config.kinds import Section, Values
from l4d.config.suggest import one_of
from l4d.config.toml import written
from l4d.terms import CheckType, Role

Broken: TypeAlias = Iterator[tuple[str, str]]
"""The key that is wrong ("": the check as a whole), and why."""

_SECRETS = ("password_file", "password_env")
_EITHER = (("send", "send_hex"), ("expect", "expect_hex"), _SECRETS)

_WANTS = {
    CheckType.SEND_EXPECT: ("expect", "expect_hex"),
    CheckType.UDP: ("send", "send_hex"),
    CheckType.DNS: ("query",),
    CheckType.EXEC: ("command",),
}
"""What a type cannot do without: one of these."""

_LOGIN = {CheckType.POSTGRES, CheckType.MYSQL, CheckType.REDIS}

_LIBRARIES = {CheckType.POSTGRES: "asyncpg", CheckType.MYSQL: "aiomysql"}
"""The module that speaks the protocol, which is its package's name, too. Debian's package is python3-NAME."""


def broken(section: Section, values: Values, tried: Collection[str]) -> Broken:
    """What does not hold in the check that has *values*; *tried* has the names of those that are wrong, too.

    A check that is off may keep what it had: all of its keys are read, and none counts.
    """
    kind = values.get("type", CheckType.OFF)
    if kind is CheckType.OFF:
        return
    yield from _misfits(section, kind, values)
    yield from _both(values)
    wanted = _WANTS.get(kind, ())
    if wanted and not _has_one(wanted, values, tried):
        words = one_of([f"'{name}'" for name in wanted])
        yield "", f"a check of type {kind.value} needs {words}"
    if values.get("body") and values.get("method") == "HEAD":
        yield "body", "has no effect with method 'HEAD', which is answered without a body"
    if kind is CheckType.HTTP and not _has_one(("tls",), values, tried):
        yield from _plain(values)
    elif values.get("ca_file") and values.get("verify") is False:
        yield "ca_file", "has no effect with 'verify = false'"
    if kind in _LOGIN:
        yield from _login(kind, values, tried)
    if kind is CheckType.EXEC:
        yield from _program(values.get("command", {}))


def _misfits(section: Section, kind: CheckType, values: Values) -> Broken:
    for name in values:
        key = section.keys[name]
        if not key.fits(kind):
            types = one_of([str(one.value) for one in key.only])
            yield name, f"is for checks of type {types}; this one is {kind.value}"


def _both(values: Values) -> Broken:
    for one, other in _EITHER:
        if values.get(one) and values.get(other):
            yield other, f"cannot be given beside '{one}'"


def _has_one(names: Collection[str], values: Values, tried: Collection[str]) -> bool:
    """Whether one of *names* was given something, be it wrong."""
    return any(values.get(name, name in tried) for name in names)


def _plain(values: Values) -> Broken:
    """HTTP without TLS."""
    for name, default in (("verify", True), ("server_name", ""), ("ca_file", "")):
        if values.get(name, default) != default:
            yield name, "has no effect without 'tls = true'"


def _login(kind: CheckType, values: Values, tried: Collection[str]) -> Broken:
    has_user = _has_one(("user",), values, tried)
    if kind is CheckType.REDIS and has_user and not _has_one(_SECRETS, values, tried):
        yield "user", "needs 'password_file' or 'password_env'"
    if kind is not CheckType.REDIS and not has_user:
        for name in ("role", *_SECRETS, "database"):
            if values.get(name, "") not in {"", Role.ANY}:
                yield name, "needs a 'user' to log in as"
    library = _LIBRARIES.get(kind)
    if library is not None and has_user and importlib.util.find_spec(library) is None:
        yield (
            "type",
            f"'{kind.value}' needs the Python package {library}; install l4d[{kind.value}] or python3-{library}",
        )


def _program(command: dict[int, str]) -> Broken:
    """Without a "/" it is looked for in PATH; a path must be absolute, since l4d does not stay where it was started."""
    program = command.get(0)
    if program is None:
        return
    if not program:
        yield "command", "must begin with the name of a program"
    elif " " in program and len(command) == 1:
        yield "command", f"is the name of one program; write its arguments beside it: {written(program.split())}"
    elif "/" in program and not os.path.isabs(program):
        yield "command", f"'{program}': a path must be absolute"
