"""What the records of an answer are good for: addresses that can be dialled, targets that offer a service."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from dns.rdata import Rdata
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.SRV import SRV

from l4d.config.model import SEATS

_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_MOST_TROUBLES = 3
"""Named in one text. A zone can have more mistakes than a line of the log should be long."""


@dataclass(frozen=True, slots=True)
class Target:
    """An SRV record, for one that dials."""

    host: str  # an absolute name
    port: int
    weight: int
    backup: bool


def texts_of(records: Iterable[Rdata]) -> tuple[str, ...]:
    """The addresses of A and AAAA records."""
    return tuple(record.address for record in records if isinstance(record, (A, AAAA)))


def dialable(addresses: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of *addresses* that can be a server's, in their normal form, and why the others cannot."""
    good: dict[str, None] = {}
    troubles = []
    for text in addresses:
        address = ipaddress.ip_address(text)
        wrong = _wrong(address)
        if wrong:
            troubles.append(f"{address} is left out: {wrong}")
        else:
            good[str(address)] = None
    return tuple(good), tuple(sorted(troubles))  # in an order that is always the same, or it would be told again


def _wrong(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Why no server can have *address*; "" when one can."""
    if address.is_unspecified:
        return "it is no server's address"
    if address.is_multicast or address == _BROADCAST:
        return "it is many machines' address"
    if address.version == 6 and (address.is_link_local or address.scope_id):
        return "it means another machine on each network"  # a record, and a seat on the board, have no scope
    return ""


def targets_of(records: Iterable[Rdata]) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """The targets of SRV records (RFC 2782), the most wanted first, and why others are left out.

    Those of the lowest priority number are ordinary servers, all others backups. The target "." says that the service
    is not offered. A weight of 0 is little, but not nothing.
    """
    services = [record for record in records if isinstance(record, SRV)]
    services.sort(key=lambda record: (record.priority, -record.weight, str(record.target), record.port))
    targets: list[tuple[int, Target]] = []
    troubles: list[str] = []
    for record in services:
        host = str(record.target)
        if host == ".":
            troubles.append("the service is not offered")
        elif not record.port:
            troubles.append(f"{host} is left out: it has port 0")
        elif len(targets) == SEATS:
            troubles.append(f"{host} is left out: there are more than {SEATS} records")
        else:
            targets.append((record.priority, Target(host, record.port, max(1, record.weight), backup=False)))
    first = targets[0][0] if targets else 0
    return tuple(
        Target(target.host, target.port, target.weight, backup=priority > first) for priority, target in targets
    ), tuple(troubles)


def joined(troubles: Iterable[str]) -> str:
    """One text of all *troubles*, each once; only the first few are named."""
    each = list(dict.fromkeys(troubles))
    left_out = len(each) - _MOST_TROUBLES
    return "; ".join(each[:_MOST_TROUBLES]) + (f"; and {left_out} more like it" if left_out > 0 else "")
