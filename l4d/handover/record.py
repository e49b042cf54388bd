"""What is handed over of one session, and how it is written down.

A record is a JSON object. Its keys are the fields below; one that has its default is left out, so an idle session is
some 300 bytes. Versions: a reader takes the records of its own VERSION and of those before it; keys that it does not
know are passed over, those that are missing have their default. So a field may be added as long as a reader that does
not know it does nothing wrong; else VERSION grows, and whoever does not know that refuses (link.py).

Times are monotonic seconds, the same in all processes of a machine. What the kernel knows of a session goes with its
descriptors: `families` has one entry for each, the client's first. Bytes that are on their way, taken from one side
and not yet by the other, come behind the records of a chunk, each record's in the order up, down.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, TypeAlias, TypeVar

from l4d.address import SockAddr, normal_host
from l4d.linux.datagram import Ancillary
from l4d.terms import Word

VERSION = 1

TOO_MUCH: Final = 1 << 63
"""No number of a record is so high."""

MOST_ERRNO: Final = 4095
"""The kernel's MAX_ERRNO."""

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")


class RecordError(Exception):
    """What was received is no record."""


class Kind(Word):
    """The stage of a session, which decides what of a record counts."""

    RELAY = "relay"  # TCP: both descriptors, `up` and `down`
    QUEUED = "queued"  # TCP: the client's descriptor
    FAREWELL = "farewell"  # TCP: the descriptor of the side that is still to get what was sent to it
    FLOW = "flow"  # UDP: the descriptor of the socket that is connected to the server
    REFUSED = "refused"  # UDP: no descriptor; the client's next datagram goes to another server


@dataclass(slots=True)
class Way:
    """One direction of a relay; see tcp/channel.py for what the marks mean."""

    moved: int = 0
    pending: int = 0  # bytes that come behind the records
    ended: bool = False
    cut: bool = False
    hung_up: bool = False
    fin_passed: bool = False
    source_error: int = 0  # errno
    target_error: int = 0


@dataclass(slots=True)
class Record:
    """One session."""

    kind: str = ""
    listener: str = ""
    families: list[int] = field(default_factory=list)
    client: object = ""  # as the kernel gave it; see `sockaddr_told`
    local: object = ""  # the address the client came to, in the same form
    port: int = 0  # the one the client came to
    id: int = 0  # the session's own number; 0: the giver had none
    started: float = 0.0
    connected: float = 0.0
    heard: float = 0.0  # when the wait for the next byte began, or the wait in the queue
    step: int = -1  # of max_session_time's jitter; -1: it has none
    tries: int = 0
    tried: list[list[str]] = field(default_factory=list)  # upstream, name and address of each server
    server: list[str] = field(default_factory=list)  # the same of the one that serves
    bytes_up: int = 0
    bytes_down: int = 0
    datagrams_up: int = 0
    datagrams_down: int = 0
    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    early: bool = False  # an early close is still looked for
    end: str = ""  # a side has failed, or the farewell's end: the two letters
    reset: bool = False  # a farewell that ends with RST
    until: float = 0.0  # a farewell is given up then
    bound: str = ""  # UDP: the address of the listening socket
    reply: list[list[Any]] = field(default_factory=list)  # UDP: level, type and hex of what goes with each answer
    trains: bool = False  # UDP: the server's datagrams may come as trains
    current: bool = False  # UDP: the client's next datagram is this flow's
    avoided: list[list[str]] = field(default_factory=list)  # UDP: servers that refused the client, as in `tried`


def _defaults(kind: type) -> dict[str, Any]:
    return {
        one.name: one.default_factory() if one.default_factory is not MISSING else one.default for one in fields(kind)
    }


_RECORD = _defaults(Record)
_WAY = _defaults(Way)


def told(record: Record) -> Json:
    """*record* as JSON has it."""
    plain = _told(record, _RECORD)
    plain["client"] = sockaddr_told(record.client)
    if record.local != "":
        plain["local"] = sockaddr_told(record.local)
    for name in ("up", "down"):
        if name in plain:
            plain[name] = _told(plain[name], _WAY)
    return plain


def _told(one: object, defaults: dict[str, Any]) -> Json:
    return {name: value for name, default in defaults.items() if (value := getattr(one, name)) != default}


def understood(plain: object) -> Record:
    """The record that was told. Raises RecordError."""
    record = _understood(Record, _RECORD, plain)
    for name in _SOCKADDRS:
        setattr(record, name, sockaddr_understood(getattr(record, name)))
    return record


def _understood(kind: type[T], defaults: dict[str, Any], plain: object) -> T:
    if not isinstance(plain, dict):
        raise RecordError(f"a {kind.__name__.lower()} is an object, not {plain!r:.40}")
    values = {name: _field(name, plain[name], default) for name, default in defaults.items() if name in plain}
    return kind(**values)


def _field(name: str, value: object, default: object) -> object:
    if isinstance(default, Way):
        return _understood(Way, _WAY, value)
    if name in _SOCKADDRS:  # see `sockaddr_understood`
        return value
    if name in _ELEMENTS and not (isinstance(value, list) and all(map(_ELEMENTS[name], value))):
        raise _unknown_kind(name, value)
    if name in _ERRNOS and not (isinstance(value, int) and value <= MOST_ERRNO):
        raise _unknown_kind(name, value)
    return fitting(name, value, default)


def fitting(name: str, value: object, default: object) -> object:
    """*value*, if it is of the kind that *default* is. Raises RecordError.

    Only what is -1 by default may be negative.
    """
    if isinstance(value, (int, float)) and not (-1 if default == -1 else 0) <= value < TOO_MUCH:
        raise _unknown_kind(name, value)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise _unknown_kind(name, value)
    return value


def _is_identity(words: object) -> bool:
    return isinstance(words, list) and len(words) == 3 and all(isinstance(word, str) for word in words)


_ELEMENTS: Final[dict[str, Callable[[object], bool]]] = {
    "families": lambda family: type(family) is int and 0 <= family < 1 << 16,
    "server": lambda word: isinstance(word, str),
    "tried": _is_identity,
    "avoided": _is_identity,
}
"""What is in the lists."""

_SOCKADDRS: Final = "client", "local"
_ERRNOS: Final = frozenset({"source_error", "target_error"})


def _unknown_kind(name: str, value: object) -> RecordError:
    return RecordError(f"{name}: {value!r:.40} is not of the kind that is known")


# Socket addresses. A unix client may have no name, a path, or, as bytes, an abstract name.


def sockaddr_told(sockaddr: object) -> object:
    if isinstance(sockaddr, bytes):
        return {"abstract": sockaddr.hex()}
    return sockaddr  # a tuple is written as a list


def sockaddr_understood(plain: object) -> object:
    """The socket address as the kernel gave it. Raises RecordError."""
    try:
        if isinstance(plain, dict):
            return bytes.fromhex(plain["abstract"])
        if isinstance(plain, (list, tuple)):
            host, port, *rest = plain
            return (str(host), int(port), *map(int, rest))
    except (KeyError, OverflowError, TypeError, ValueError):
        plain = None
    if not isinstance(plain, str):
        raise RecordError("an address is not of a kind that is known")
    return plain


def inet_understood(plain: object) -> SockAddr:
    """The same, of a UDP client. Raises RecordError."""
    sockaddr = sockaddr_understood(plain)
    if not isinstance(sockaddr, tuple):
        raise RecordError("a UDP client has an address and a port")
    try:
        host, port, *rest = sockaddr
        normal_host(host)  # no name is ever looked up for it
        if not all(0 <= number < most for number, most in zip((port, *rest), _MOST, strict=False)):
            raise ValueError
        if not rest:
            return host, port
        flow, scope = rest
    except ValueError:
        raise RecordError("a UDP client's address is not of a kind that is known") from None
    return host, port, flow, scope


_MOST: Final = 1 << 16, 1 << 20, 1 << 32
"""Port, flow label and scope are less."""


def reply_told(ancillary: Ancillary) -> list[list[Any]]:
    """What goes with each answer to a UDP client, as JSON has it."""
    return [[level, kind, data.hex()] for level, kind, data in ancillary]


def reply_understood(plain: object) -> Ancillary:
    """The same as sendmsg(2) takes it. Raises RecordError."""
    try:
        reply = [(int(level), int(kind), bytes.fromhex(data)) for level, kind, data in plain]  # type: ignore[attr-defined]
        if not all(0 <= number < 1 << 31 for level, kind, _data in reply for number in (level, kind)):
            raise ValueError
        return reply
    except (OverflowError, TypeError, ValueError):
        raise RecordError("what goes with an answer is not of a kind that is known") from None


def error_number(error: OSError | None) -> int:
    """What stands for *error* in a record."""
    return 0 if error is None else error.errno or errno.EIO


def error_of(number: int) -> OSError | None:
    """The error that *number* stands for."""
    return OSError(number, os.strerror(number)) if number else None
