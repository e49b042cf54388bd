"""The will: what a master leaves to the next program at an upgrade, as a document with a version.

    {"version": 1,
     "records": 1,                                the version of the records of sessions (handover/record.py)
     "generation": 7,                             the number of the last generation
     "board": {"rows": 1024, "columns": 1048576,  its size
               "descriptors": [0, 1, 2, 3],       its memory, the bell, the gap, the knock
               "taken": [0, 1, 2, 3],             rows that are not free
               "control_row": 1},
     "columns": {"given": [["sessions", ["web"], 4], ...],   metric, label values, column
                 "free": [9],                     given back
                 "used": 120},                    the first one that nobody ever had
     "held": [{"protocol": "tcp",
               "address": ["127.0.0.1", 0],       as the file has it; a unix socket's is its path
               "listener": "web",                 whose it is, where the port is 0, else ""
               "bound": ["127.0.0.1", 40123],     as the kernel has it
               "owner": "web",                    the listener that has it, or had it last
               "steered": true,                   its clients are given to the sockets by our program
               "retired": false,                  no listener has it, and flows may be left there
               "lock": 4, "sockets": [5, 6]},     one for each slot, in order
              ...],
     "pid_file": {"path": "/run/l4d.pid", "descriptor": 7},  or null
     "inquiries": 8,                              the socket that workers call; a program of before has none
     "doors": [{"address": ["127.0.0.1", 0],      of the admin API: as the file has it, and as the kernel has it
                "bound": ["127.0.0.1", 40124], "mode": 384, "lock": 9, "socket": 10},
               ...],
     "changes": {"started": 1790000000.0, "all": [...]},  what has happened so far (stats/changes.py)
     "descriptors": 11}                           so many come with it

A descriptor is given by its number in the order in which they come. Fields that a program does not know are ignored, so
a later one may add some, as `doors` and `changes` were added; one that changes what a field means, or the layout of the
board, is another version.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from l4d.address import Address, Inet, Unix
from l4d.handover import record
from l4d.stats.changes import Changes, from_plain
from l4d.terms import Protocol

VERSION = 1

T = TypeVar("T")


class WillError(Exception):
    """The document cannot be understood; the message says why."""


@dataclass(frozen=True, slots=True)
class BoardLeft:
    """The board."""

    rows: int
    columns: int
    descriptors: tuple[int, ...]
    taken: tuple[int, ...]
    control_row: int


@dataclass(frozen=True, slots=True)
class ColumnsLeft:
    """What the columns of the board mean."""

    given: tuple[tuple[str, tuple[str, ...], int], ...]
    free: tuple[int, ...]
    used: int


@dataclass(frozen=True, slots=True)
class AddressLeft:
    """A listening address."""

    protocol: Protocol
    address: Address
    listener: str
    bound: Address
    owner: str
    steered: bool
    retired: bool
    lock: int
    sockets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DoorLeft:
    """An address of the admin API."""

    address: Address
    bound: Address
    mode: int
    lock: int
    socket: int


@dataclass(frozen=True, slots=True)
class PidFileLeft:
    """The pid file."""

    path: str
    descriptor: int


@dataclass(frozen=True, slots=True)
class Will:
    """All of it."""

    generation: int
    board: BoardLeft
    columns: ColumnsLeft
    held: tuple[AddressLeft, ...]
    pid_file: PidFileLeft | None
    inquiries: int | None
    doors: tuple[DoorLeft, ...]
    changes: Changes
    descriptors: int


def encode(will: Will) -> bytes:
    """The document."""
    board, columns, pid_file = will.board, will.columns, will.pid_file
    document = {
        "version": VERSION,
        "records": record.VERSION,
        "generation": will.generation,
        "board": {
            "rows": board.rows,
            "columns": board.columns,
            "descriptors": board.descriptors,
            "taken": board.taken,
            "control_row": board.control_row,
        },
        "columns": {"given": columns.given, "free": columns.free, "used": columns.used},
        "held": [_address_out(each) for each in will.held],
        "pid_file": pid_file and {"path": pid_file.path, "descriptor": pid_file.descriptor},
        "inquiries": will.inquiries,
        "doors": [_door_out(each) for each in will.doors],
        "changes": will.changes.plain(),
        "descriptors": will.descriptors,
    }
    return json.dumps(document).encode()


def decode(data: bytes) -> Will:
    """The will in a document of this version. Raises WillError."""
    try:
        document = json.loads(data)
        version = document["version"]
        if version != VERSION:
            raise WillError(f"what the running l4d leaves has version {version}, and this program knows {VERSION}")
        records = _number(document["records"])
        if records > record.VERSION:
            raise WillError(f"the sessions' records have version {records}, and this program knows {record.VERSION}")
        return _will_in(document)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WillError(f"what the running l4d leaves cannot be understood: {error!r}") from None


def _address_out(left: AddressLeft) -> dict[str, object]:
    return {
        "protocol": left.protocol.value,
        "address": _place_out(left.address),
        "listener": left.listener,
        "bound": _place_out(left.bound),
        "owner": left.owner,
        "steered": left.steered,
        "retired": left.retired,
        "lock": left.lock,
        "sockets": left.sockets,
    }


def _door_out(left: DoorLeft) -> dict[str, object]:
    return {
        "address": _place_out(left.address),
        "bound": _place_out(left.bound),
        "mode": left.mode,
        "lock": left.lock,
        "socket": left.socket,
    }


def _place_out(address: Address) -> str | tuple[str, int]:
    return address.path if isinstance(address, Unix) else address.sockaddr


def _will_in(document: dict[str, Any]) -> Will:
    board, columns, pid_file = document["board"], document["columns"], document["pid_file"]
    inquiries = document.get("inquiries")
    return Will(
        _number(document["generation"]),
        BoardLeft(
            _number(board["rows"]),
            _number(board["columns"]),
            _numbers(board["descriptors"]),
            _numbers(board["taken"]),
            _number(board["control_row"]),
        ),
        ColumnsLeft(_each(columns["given"], _given_in), _numbers(columns["free"]), _number(columns["used"])),
        _each(document["held"], _address_in),
        None if pid_file is None else PidFileLeft(_text(pid_file["path"]), _number(pid_file["descriptor"])),
        None if inquiries is None else _number(inquiries),
        _each(document.get("doors", []), _door_in),
        from_plain(document["changes"]) if "changes" in document else Changes(),
        _number(document["descriptors"]),
    )


def _given_in(value: Any) -> tuple[str, tuple[str, ...], int]:
    metric, labels, column = value
    return _text(metric), _each(labels, _text), _number(column)


def _address_in(value: Any) -> AddressLeft:
    return AddressLeft(
        Protocol(value["protocol"]),
        _place_in(value["address"]),
        _text(value["listener"]),
        _place_in(value["bound"]),
        _text(value["owner"]),
        value["steered"] is True,
        value["retired"] is True,
        _number(value["lock"]),
        _numbers(value["sockets"]),
    )


def _door_in(value: Any) -> DoorLeft:
    return DoorLeft(
        _place_in(value["address"]),
        _place_in(value["bound"]),
        _number(value["mode"]),
        _number(value["lock"]),
        _number(value["socket"]),
    )


def _place_in(value: Any) -> Address:
    if isinstance(value, str):
        return Unix(value)
    host, port = value
    return Inet(_text(host), _number(port))


def _each(values: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
    if not isinstance(values, list):
        raise TypeError(f"{values!r} is no list")
    return tuple(read(value) for value in values)


def _numbers(values: Any) -> tuple[int, ...]:
    return _each(values, _number)


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is no number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
