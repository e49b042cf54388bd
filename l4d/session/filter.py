"""Which sessions an operator means: by listener, upstream, server, client, age or number, all of what is given.

    listener, upstream    a name
    server                "two", "pg/two" or an address; a name's own name means all of its addresses
    client                an address, with or without a port; a network; "unix": clients of unix sockets
    older                 a duration, as the configuration writes it: sessions that began at least so long ago
    id                    the number of a session, sixteen digits

It is made of texts, which are also what goes over a link to those who look.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final, TypeAlias

from l4d.config.suggest import did_you_mean
from l4d.config.values import Wrong, duration
from l4d.session.ids import id_number
from l4d.session.session import Session

NAMES: Final = ("listener", "upstream", "server", "client", "older", "id")

UNIX: Final = "unix"

MAPPED_BITS: Final = 96
"""Of an IPv4 address as an IPv6 socket shows it, so many come before its own (RFC 4291, section 2.5.5.2)."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_DURATION: Final = duration(or_zero=True)


class Filter:
    """What a session must be to be meant. Without any text every session is."""

    __slots__ = ("_client", "_id", "_listener", "_older", "_server", "_upstream", "texts")

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Raises ValueError, whose words name what is wrong, and the way out."""
        for name, text in texts.items():
            if name not in NAMES:
                raise ValueError(f"{name}: sessions are not found by that{did_you_mean(name, NAMES)}")
            if not text:
                raise ValueError(f"{name}: is empty; leave it out to mean every session")
        self.texts = dict(texts)
        self._listener = texts.get("listener", "")
        self._upstream = texts.get("upstream", "")
        self._server = texts.get("server", "")
        self._client = _client(texts["client"]) if "client" in texts else None
        self._older = _older(texts["older"]) if "older" in texts else 0.0
        self._id = _id(texts["id"]) if "id" in texts else None

    def matches(self, session: Session, now: float) -> bool:
        """Whether *session* is meant; *now* is monotonic seconds."""
        if self._id is not None and session.id != self._id:
            return False
        service = session.service
        if self._listener and service.listener.name != self._listener:
            return False
        if self._upstream and service.upstream.name != self._upstream:
            return False
        if self._older and now - session.started < self._older:
            return False
        if self._server and not _is_served_by(session, self._server):
            return False
        return self._client is None or self._client.has(session.client)


class Clients:
    """Those of a network, or of a port of theirs; or those of unix sockets."""

    __slots__ = ("_network", "_port")

    def __init__(self, network: Network | None, port: int) -> None:
        """No *network*: those of unix sockets. *port* is 0 for any."""
        self._network = network
        self._port = port

    def has(self, client: object) -> bool:
        """Whether the socket address is one of theirs."""
        if not isinstance(client, tuple):
            return self._network is None
        if self._network is None or self._port not in {0, client[1]}:
            return False
        return _unmapped(ipaddress.ip_address(client[0])) in self._network


def client_of(text: str) -> tuple[Address, int]:
    """One client's address, and its port, 0 if it is not said. Raises ValueError."""
    host, port = _split(text)
    try:
        return _unmapped(ipaddress.ip_address(host)), port
    except ValueError:
        raise ValueError(
            f"client: {text!r:.80} is no address; write it as 10.0.0.7, 10.0.0.7:51812 or [::1]:51812"
        ) from None


def _client(text: str) -> Clients:
    if text == UNIX:
        return Clients(None, 0)
    if "/" in text:
        return Clients(_network(text), 0)
    address, port = client_of(text)
    network: Network
    if address.version == 4:
        network = ipaddress.IPv4Network((int(address), 32))
    else:
        network = ipaddress.IPv6Network((int(address), 128))  # without the scope, which a network has not
    return Clients(network, port)


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"client: {text!r:.80} is no network; write it as 10.0.0.0/8 or 2001:db8::/32") from None
    mapped = _unmapped(network.network_address)
    if mapped.version == network.version or network.prefixlen < MAPPED_BITS:
        return network
    return ipaddress.ip_network(f"{mapped}/{network.prefixlen - MAPPED_BITS}")


def _split(text: str) -> tuple[str, int]:
    """The host, and the port, 0 if there is none: "1.2.3.4:80", "[::1]:80", or a host alone."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):  # a port stands behind the only colon, or a bracket
        return text.removeprefix("[").removesuffix("]"), 0
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise ValueError(f"client: {text!r:.80} has no port that there is; ports are 1 to 65535")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _unmapped(address: Address) -> Address:
    """An IPv4 client is the same over an IPv4 and an IPv6 socket."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _older(text: str) -> float:
    try:
        return float(_DURATION(text))
    except Wrong as error:
        raise ValueError(f"older: {error}") from None


def _id(text: str) -> int:
    try:
        return id_number(text)
    except ValueError:
        raise ValueError(f"id: {text!r:.40} is none; the sessions' ids have sixteen hexadecimal digits") from None


def _is_served_by(session: Session, text: str) -> bool:
    """Or is dialled for, or was the last that was."""
    server = session.dialled
    if server is None:
        return False
    whole = server.name.rpartition("#")[0]  # of a name's addresses
    names = {server.name, server.label}
    if whole:
        names |= {whole, f"{server.upstream}/{whole}"}
    return text in names or text in {str(server.address), str(server.address_for(session.port))}
