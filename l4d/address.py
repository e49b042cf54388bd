"""Addresses as the kernel takes them: an IP address with a port, or the path of a unix socket.

No name is ever looked up here. The forms an operator writes ("*:80", a range of ports) are read in
config/addresses.py and become these. A server may also be given by a name, for the control process to resolve.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import TypeAlias

SAME_PORT = 0
"""The port of a server that was given without one: the port the client came to is used."""


@dataclass(frozen=True, slots=True, order=True)
class Inet:
    """An IPv4 or IPv6 address, as text, with a port."""

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def sockaddr(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def wildcard(self) -> bool:
        """Whether this is every address of its family, so that a datagram's local address must be asked for."""
        return self.host in {"0.0.0.0", "::"}  # noqa: S104 - a comparison, nothing is bound

    def overlaps(self, other: "Inet") -> bool:
        """Whether a client of one could reach the other."""
        same = self.host == other.host or self.wildcard or other.wildcard
        return same and self.port == other.port and self.family == other.family

    def with_port(self, port: int) -> "Inet":
        return Inet(self.host, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, order=True)
class Unix:
    """A unix socket's path in the file system."""

    path: str

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_UNIX

    @property
    def sockaddr(self) -> str:
        return self.path

    def __str__(self) -> str:
        path = self.path if self.path.isprintable() else self.path.encode("unicode_escape").decode()
        return f"unix:{path}"  # a client chooses its own path: it must stay one line


Address: TypeAlias = Inet | Unix


@dataclass(frozen=True, slots=True)
class Host:
    """A host by name, with a port (which may be SAME_PORT); each of its addresses is a server."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Srv:
    """The name of an SRV record (RFC 2782); each of its targets is a server."""

    name: str

    def __str__(self) -> str:
        return self.name


Named: TypeAlias = Host | Srv

SockAddr: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
"""A UDP peer as the kernel names it: host and port, over IPv6 also flow label and scope."""


def from_sockaddr(sockaddr: object) -> Address:
    """The address in what getsockname, getpeername, accept and recvfrom give, for any family we use.

    A client of a unix socket has no name; its path is then empty.
    """
    if isinstance(sockaddr, tuple):
        return Inet(str(sockaddr[0]), int(sockaddr[1]))
    return Unix(sockaddr if isinstance(sockaddr, str) else "")


def from_text(text: str) -> Address:
    """The address that str() has made into *text*. Raises ValueError."""
    if text.startswith("unix:"):
        return Unix(text.removeprefix("unix:"))
    host, _, port = text.rpartition(":")
    return Inet(normal_host(host.removeprefix("[").removesuffix("]")), int(port))


def normal_host(host: str) -> str:
    """The one spelling of an IP address: "::0:1" is "::1". Raises ValueError when it is none."""
    return str(ipaddress.ip_address(host))
