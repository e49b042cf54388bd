"""How addresses are read: the forms an operator writes, and the addresses they stand for.

"0.0.0.0:7000-7009"     ten addresses to bind
"*:80"                  two: every IPv4 and every IPv6 address
"[::1]:80"              one; a scope may follow, as in "[fe80::1%eth0]:80"
"unix:/run/x.sock"      a unix socket
"10.0.0.2"              a server that is dialled at the port the client came to
"""

import os
import re
from dataclasses import dataclass

from l4d.address import SAME_PORT, Address, Inet, Unix, normal_host
from l4d.config.values import Wrong, described, text

_LONGEST_PATH = 107  # sun_path holds 108 bytes with the closing zero
_PORT = re.compile(r"[0-9]{1,5}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.-]+")
_EVERY = ("0.0.0.0", "::")  # noqa: S104 - what "*" stands for


@dataclass(frozen=True, slots=True)
class Written:
    """An address as the operator wrote it, and what it stands for."""

    text: str
    addresses: tuple[Address, ...]


def to_bind(value: object) -> Written:
    """An address to listen on; it may stand for many. Port 0 is any free port."""
    written = _address_text(value)
    if written.startswith("unix:"):
        return Written(written, (_unix(written),))
    if _PORT.fullmatch(written.removeprefix(":")):
        raise Wrong(f"'{written}' has no address; write it as '*:{written.removeprefix(':')}'")
    host, port = _split(written)
    if port is None:
        raise Wrong(f"'{written}' has no port; write it as '{_with_port(host)}'")
    hosts = _EVERY if host == "*" else (_ip(host, "bind to an IP address, or to '*' for every one"),)
    return Written(written, tuple(Inet(one, number) for number in _ports(port, written) for one in hosts))


def to_dial(value: object) -> Written:
    """The address of a server. Without a port it has the port SAME_PORT."""
    written = _address_text(value)
    if written.startswith("unix:"):
        return Written(written, (_unix(written),))
    host, port = _split(written)
    ip = _ip(host, "names are not resolved in this version; write the IP address")
    if port is None:
        return Written(written, (Inet(ip, SAME_PORT),))
    number = _port(port, written)
    if number == 0:
        raise Wrong(f"'{written}' has port 0; a server has a port from 1 to 65535")
    return Written(written, (Inet(ip, number),))


def to_dial_from(value: object) -> str:
    """An IP address of this machine; "" lets the system choose."""
    host = text(value)
    if host == "client":
        raise Wrong("'client' is not available in this version; write an IP address")
    return _ip(host, "write an IP address") if host else ""


def dial_written(address: Address) -> str:
    """What to_dial reads as *address*."""
    if isinstance(address, Inet) and address.port == SAME_PORT:
        return str(address).removesuffix(f":{SAME_PORT}")
    return str(address)


def _address_text(value: object) -> str:
    written = text(value)
    if not written or any(letter.isspace() for letter in written):
        raise Wrong(f"must be an address like '10.0.0.1:80', not {described(value)}")
    return written


def _unix(written: str) -> Unix:
    path = written.removeprefix("unix:")
    if not path.startswith("/"):
        raise Wrong(f"{described(written)}: the path of a unix socket must be absolute, as in 'unix:/run/l4d.sock'")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise Wrong(f"{described(written)}: the path of a unix socket must not be longer than {_LONGEST_PATH} bytes")
    return Unix(path)


def _split(written: str) -> tuple[str, str | None]:
    """Host and port as texts. An IPv6 address stands in brackets when a port follows."""
    if written.startswith("["):
        host, closed, rest = written[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise Wrong(f"{described(written)} is not an address; write it as '[::1]:80'")
        return host, rest[1:] if rest else None
    if written.count(":") > 1:
        return written, None
    host, colon, port = written.partition(":")
    return host, port if colon else None


def _with_port(host: str) -> str:
    return f"[{host}]:PORT" if ":" in host else f"{host}:PORT"


def _ip(host: str, otherwise: str) -> str:
    """The normal form of an IP address; *otherwise* says what to do about a name."""
    try:
        return normal_host(host)
    except ValueError:
        if _NAME.fullmatch(host):
            raise Wrong(f"{described(host)}: {otherwise}") from None
        raise Wrong(f"{described(host)} is not an IP address") from None


def _ports(port: str, written: str) -> range:
    first, dash, last = port.partition("-")
    if not dash:
        number = _port(first, written)
        return range(number, number + 1)
    lowest, highest = _port(first, written), _port(last, written)
    if not 0 < lowest <= highest:
        raise Wrong(f"'{written}': a range of ports goes from the lower to the higher, as in '7000-7009'")
    return range(lowest, highest + 1)


def _port(port: str, written: str) -> int:
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise Wrong(f"{described(written)}: {described(port)} is not a port from 0 to 65535")
    return int(port)
