"""How addresses are read: the forms an operator writes, and the addresses they stand for.

"0.0.0.0:7000-7009"     ten addresses to bind
"*:80"                  two: every IPv4 and every IPv6 address
"[::1]:80"              one; a scope may follow, as in "[fe80::1%eth0]:80"
"unix:/run/x.sock"      a unix socket
"10.0.0.2"              a server that is dialled at the port the client came to
"db.example:5432"       a server by name; each address of the name is one
"""

import ipaddress
import os
import re
from dataclasses import dataclass

from l4d.address import SAME_PORT, Address, Host, Inet, Named, Srv, Unix, normal_host
from l4d.config.model import Network
from l4d.config.values import Wrong, described, text

LONGEST_PATH = 107  # sun_path holds 108 bytes with the closing zero
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.-]+")
DNS_PORT = 53
_EVERY = ("0.0.0.0", "::")  # noqa: S104 - what "*" stands for


@dataclass(frozen=True, slots=True)
class Written:
    """An address as the operator wrote it, and what it stands for."""

    text: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Dialled:
    """A server as the operator wrote it, and what that means."""

    text: str
    address: Address | Named


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


def to_listen(value: object) -> Written:
    """The one TCP address to listen on; "" is none. Port 0 is any free port."""
    if not text(value):
        return Written("", ())
    written = to_bind(value)
    if len(written.addresses) > 1:
        raise Wrong(f"'{written.text}' is more than one address; write it as '{written.addresses[0]}'")
    if isinstance(written.addresses[0], Unix):
        raise Wrong(f"'{written.text}' is a unix socket, which 'socket' is for; write it as '127.0.0.1:PORT'")
    return written


def listen_written(address: Inet | None) -> str:
    return str(address) if address is not None else ""


def socket_path(value: object) -> str:
    """The path of a unix socket; "" is none."""
    path = text(value)
    if path.startswith("unix:"):
        raise Wrong(f"{described(path)}: write the path alone, as in '{path.removeprefix('unix:') or '/run/l4d.sock'}'")
    return _unix_path(path, path) if path else ""


def network(value: object) -> Network:
    """A network, or one address."""
    written = text(value)
    try:
        return ipaddress.ip_network(written)
    except ValueError:
        pass
    try:
        around = ipaddress.ip_network(written, strict=False)
    except ValueError:
        raise Wrong(f"must be a network like '10.0.0.0/8' or '::1/128', not {described(value)}") from None
    raise Wrong(f"'{written}' is an address within a network; write it as '{around}'")


def network_written(value: Network) -> str:
    return str(value)


def to_dial(value: object) -> Dialled:
    """The address of a server, or its name. Without a port it has the port SAME_PORT."""
    written = _address_text(value)
    if written.startswith("unix:"):
        return Dialled(written, _unix(written))
    host, port = _split(written)
    if not host:
        raise Wrong(f"'{written}' has no address; write it as '10.0.0.1{written}'")
    return Dialled(written, _ip_or_name(host, SAME_PORT if port is None else _port_of(port, written, "a server")))


def to_look_up(value: object) -> Srv:
    """The name of an SRV record."""
    name = text(value)
    if not is_name(name):
        raise Wrong(f"{described(name)} is not a name; write it as '_postgres._tcp.example.com'")
    return Srv(name)


def to_ask(value: object) -> Inet:
    """The address of a nameserver; its port is 53 unless it says otherwise."""
    written = _address_text(value)
    host, port = _split(written)
    ip = _ip(host, "a nameserver is given by its IP address")
    return Inet(ip, DNS_PORT if port is None else _port_of(port, written, "a nameserver"))


def is_name(name: str) -> bool:
    """Whether *name* can be that of a host or service (RFC 1035, 2.3.4; underscores too, as RFC 2782 has them)."""
    labels = name.removesuffix(".").split(".")
    fits = len(name.removesuffix(".")) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    return fits and not labels[-1].isdigit()  # "10.0.0.256" is an address gone wrong


def name_written(name: Srv) -> str:
    return name.name


def nameserver_written(address: Inet) -> str:
    return str(address)


def to_dial_from(value: object) -> str:
    """An IP address of this machine; "" lets the system choose."""
    host = text(value)
    if host == "client":
        raise Wrong("'client' is not available in this version; write an IP address")
    return _ip(host, "write an IP address") if host else ""


def dial_written(address: Address | Named) -> str:
    """What to_dial reads as *address*."""
    if isinstance(address, (Inet, Host)) and address.port == SAME_PORT:
        return str(address).removesuffix(f":{SAME_PORT}")
    return str(address)


def _address_text(value: object) -> str:
    written = text(value)
    if not written or any(letter.isspace() for letter in written):
        raise Wrong(f"must be an address like '10.0.0.1:80', not {described(value)}")
    return written


def _unix(written: str) -> Unix:
    return Unix(_unix_path(written.removeprefix("unix:"), written))


def _unix_path(path: str, written: str) -> str:
    if not path.startswith("/"):
        example = "unix:/run/l4d.sock" if path != written else "/run/l4d.sock"
        raise Wrong(f"{described(written)}: the path of a unix socket must be absolute, as in '{example}'")
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise Wrong(f"{described(written)}: the path of a unix socket must not be longer than {LONGEST_PATH} bytes")
    return path


def _split(written: str) -> tuple[str, str | None]:
    """Host and port as texts. An IPv6 address stands in brackets when a port follows."""
    if written.startswith("["):
        host, closed, rest = written[1:].partition("]")
        if ":" not in host or not closed or (rest and not rest.startswith(":")):
            raise Wrong(f"{described(written)} is not an address; write it as '[::1]:80'")
        return host, rest[1:] if rest else None
    if written.count(":") > 1:
        return written, None
    host, colon, port = written.partition(":")
    return host, port if colon else None


def _with_port(host: str) -> str:
    return f"[{host}]:PORT" if ":" in host else f"{host}:PORT"


def _ip_or_name(host: str, port: int) -> Inet | Host:
    try:
        return Inet(normal_host(host), port)
    except ValueError:
        if is_name(host):
            return Host(host.lower(), port)
        raise Wrong(f"{described(host)} is neither an IP address nor a name") from None


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


def _port_of(port: str, written: str, whose: str) -> int:
    """The port of one who can be reached, which is not 0."""
    if (number := _port(port, written)) == 0:
        raise Wrong(f"'{written}' has port 0; {whose} has a port from 1 to 65535")
    return number


def _port(port: str, written: str) -> int:
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise Wrong(f"{described(written)}: {described(port)} is not a port from 0 to 65535")
    return int(port)
