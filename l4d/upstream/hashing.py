"""hash: the same key to the same server, in every worker and on every node, by Maglev's table (maglev.py).

The table follows from the addresses and weights of the members alone: not from their names, their order or what was
before. So two nodes with the same members choose alike, and when one leaves, little more than its own share of the
keys moves; when it comes back they are where they were. A server that may not be given this one session (full, or
tried for it) has its keys spread over the others, by hashing them again, and nothing else moves. While weights grow
(slow_start) the nodes may differ by a step.

Laying a table takes tens of milliseconds, so it is done by and by, in `work`, and until it is ready the old one serves:
keys of those who have left are spread over the others, newcomers wait. Only where the old table has nobody left is
the new one laid at once. The table before is kept, so a server that was away for a moment costs one, not two.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeAlias

from l4d.upstream.maglev import SIZE, lay
from l4d.upstream.outlook import Outlook
from l4d.upstream.server import Server

ATTEMPTS: Final = 16
"""So often a key is hashed before the members are asked one after the other."""

ODD: Final = 6364136223846793005
"""Knuth's multiplier for a linear congruential generator of 64 bits (MMIX): the next hash of a key."""

MASK: Final = (1 << 64) - 1

Entries: TypeAlias = tuple[tuple[str, float], ...]
"""What a table is laid for: the identity and the weight of each member, in order."""


class Hashing:
    """A table, and who has its slots now."""

    __slots__ = ("_before", "_entries", "_laying", "_laying_for", "_members", "_servers", "_slots", "_wanted")

    def __init__(self) -> None:
        self._members: list[Server] = []  # by identity, as the entries
        self._wanted: Entries = ()
        self._entries: Entries = ()
        self._slots = array("H")
        self._servers: list[Server | None] = []  # those of the table; None: no member now
        self._before: tuple[Entries, array[int]] = (), self._slots
        self._laying: Iterator[array[int] | None] | None = None
        self._laying_for: Entries = ()

    def fill(self, members: Sequence[Server]) -> None:
        known = _by_identity(members)
        self._members = [server for _identity, server in known]
        self._wanted = tuple((identity, server.weight) for identity, server in known)
        if self._wanted == self._before[0]:
            self._use(*self._before)
        self._seat()
        if not any(self._servers):
            while self.work():
                pass

    def choose(self, tried: Collection[Server], key: int, now: float) -> Server | None:  # noqa: ARG002 - Balancer
        if not self._members:
            return None
        for _ in range(ATTEMPTS):
            server = self._servers[self._slots[key % SIZE]]
            if server is not None and server.takes(tried):
                return server
            key = (key * ODD + 1) & MASK
        first = key % len(self._members)
        for server in self._members[first:] + self._members[:first]:
            if server.takes(tried):
                return server
        return None

    def peek(self, key: int, now: float) -> Outlook | None:
        server = self.choose((), key, now)
        if server is None:
            return None
        own = self._servers[self._slots[key % SIZE]]
        if own is server:
            return Outlook(server, f"its hash is that of slot {key % SIZE} in Maglev's table")
        return Outlook(server, f"slot {key % SIZE} in Maglev's table, that of its hash, has nobody who takes it now")

    def passed_over(self, server: Server, now: float) -> str:  # noqa: ARG002 - Balancer
        return "the hash is another one's"

    def work(self) -> bool:
        if not self._wanted or self._wanted == self._entries:
            self._laying = None
            return False
        if self._laying is None:
            self._laying, self._laying_for = lay(self._wanted), self._wanted
        slots = next(self._laying)
        if slots is None:
            return True
        self._laying = None
        self._use(self._laying_for, slots)
        self._seat()
        return self._wanted != self._entries

    def _use(self, entries: Entries, slots: "array[int]") -> None:
        self._before = self._entries, self._slots
        self._entries, self._slots = entries, slots

    def _seat(self) -> None:
        """Find out who of the table is a member now."""
        present = dict(zip([identity for identity, _weight in self._wanted], self._members, strict=True))
        self._servers = [present.get(identity) for identity, _weight in self._entries]


def _by_identity(members: Sequence[Server]) -> list[tuple[str, Server]]:
    """The members with what they are hashed by, their addresses, in order of these; of two alike the second is "#1"."""
    seen: dict[str, int] = {}
    known: list[tuple[str, Server]] = []
    for server in members:
        address = str(server.address)
        number = seen[address] = seen.get(address, -1) + 1
        known.append((f"{address}#{number}" if number else address, server))
    return sorted(known, key=lambda one: one[0])
