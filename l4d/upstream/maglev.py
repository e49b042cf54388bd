"""Maglev's table: which member has which of 65537 slots, by their names and weights alone.

Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4. Each member
has an order of its own over all slots, made from the hash of its name: an offset, and a hop from each slot to the
next. The members take turns, and each takes the next slot in its order that is still free, until none is. Who
leaves gives its slots to the others, and few besides change hands. A member with half the weight of the heaviest
takes every second turn.

Nearly all of the work is in finding the last free slots. Once there are FEW, it is quicker to ask of each of them when
it comes in the member's order than to hop until one is met: the same slot is found either way.
"""

from array import array
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final

SIZE: Final = 65537
"""The number of slots: a prime, so that every hop leads through all of them."""

FEW: Final = 256

PIECE: Final = 7500
"""The work between two pauses, in hops; to take a slot costs PLACING besides. About half a millisecond."""

PLACING: Final = 4

SKIPPING: Final = 8
"""So many members that have no turn in a round cost what a slot does."""


def lay(entries: Sequence[tuple[str, float]]) -> Iterator["array[int] | None"]:
    """The table for members with these names, no two alike, and weights above 0, at least one and at most 65535.

    Yields None after each piece of the work, and at last the table: of each slot, which entry has it.
    """
    orders = [_order(name) for name, _weight in entries]
    heaviest = max(weight for _name, weight in entries)
    shares = [weight / heaviest for _name, weight in entries]
    places, hops = [offset for offset, _hop in orders], [hop for _offset, hop in orders]
    credit = [0.0] * len(entries)
    table = array("H", bytes(2 * SIZE))
    taken = bytearray(SIZE)
    free, left = SIZE, PIECE // (PLACING + 1)
    last: list[int] = []  # the free slots, once they are few
    while free:
        left -= len(entries) // SKIPPING
        for member, share in enumerate(shares):
            credit[member] += share
            if credit[member] < 1.0:
                continue
            credit[member] -= 1.0
            slot, hop = places[member], hops[member]
            if free > FEW:
                while taken[slot]:
                    slot += hop
                    if slot >= SIZE:
                        slot -= SIZE
            else:
                last = last or _zeros(taken)
                slot = _first_met(last, slot, hop)
                last.remove(slot)
            places[member] = slot
            taken[slot] = 1
            table[slot] = member
            free -= 1
            if not free:
                break
            left -= 1
            if left <= 0:
                left = PIECE // (PLACING + SIZE // free)  # on the average one of so many slots is free
                yield None
    yield table


def _order(name: str) -> tuple[int, int]:
    """The offset and the hop of the order in which the member of that name takes slots."""
    digest = blake2b(name.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big") % SIZE, int.from_bytes(digest[8:], "big") % (SIZE - 1) + 1


def _zeros(taken: bytearray) -> list[int]:
    """The slots that are free."""
    found = [taken.find(0)]
    while found[-1] >= 0:
        found.append(taken.find(0, found[-1] + 1))
    return found[:-1]


def _first_met(free: list[int], place: int, hop: int) -> int:
    """Which of the *free* slots is met first by one who goes on from *place* by *hop*."""
    hops_to_next = pow(hop, -1, SIZE)
    return min(free, key=lambda slot: (slot - place) * hops_to_next % SIZE)
