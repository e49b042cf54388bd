"""What a name stands for at a moment: addresses, each with a weight and whether it is a backup."""

from collections.abc import Iterable
from dataclasses import dataclass

from l4d.address import SAME_PORT, Host, Inet
from l4d.config.model import Server

MOST_WEIGHT = 65535
"""A seat on the board has 16 bits for a weight."""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One address of a name.

    As a nameserver says it, the weight is that of an SRV record, and the port is SAME_PORT unless an SRV record has
    one. As a server of an upstream has it (`for_entry`), port and weight are the server's.
    """

    address: Inet
    weight: int = 1
    backup: bool = False

    def for_entry(self, entry: Server) -> "Found":
        """This address as one of the servers that *entry* of an upstream stands for."""
        port = entry.address.port if isinstance(entry.address, Host) else self.address.port
        weight = min(max(1, self.weight * entry.weight), MOST_WEIGHT)
        return Found(self.address.with_port(port), weight, self.backup or entry.backup)


def of_host(host: str) -> Found:
    """An address that came without a port, from an A or AAAA record or from /etc/hosts."""
    return Found(Inet(host, SAME_PORT))


def distinct(found: Iterable[Found]) -> tuple[Found, ...]:
    """All of *found* in order, each address once.

    One that is there more than once (two targets of an SRV record may be one machine) is ordinary rather than a backup,
    and has the larger weight of those.
    """
    best: dict[Inet, Found] = {}
    for one in found:
        other = best.get(one.address, one)
        best[one.address] = min(one, other, key=lambda each: (each.backup, -each.weight))
    return tuple(sorted(best.values()))


def all_for_entry(found: Iterable[Found], entry: Server) -> tuple[Found, ...]:
    """What *found* means for *entry*: sorted, each address once."""
    return distinct(one.for_entry(entry) for one in found)
