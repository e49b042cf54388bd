"""A seat: the place on the board of one address that a name stands for.

Control gives an address a seat, workers read it when the bell has rung. One word has all but the address:

    bits  0-15   port
         16-31   weight
         32      IPv6
         33      backup
         34      leaving: the name no longer has the address; nothing new, what lives may finish
         35      somebody sits here
         36-63   how many have sat here

It is written last, so that whoever finds it changed finds the address complete.
"""

import ipaddress
from dataclasses import dataclass

from l4d.address import Inet
from l4d.stats import catalogue
from l4d.stats.columns import Columns

_WEIGHT = 16
_IPV6 = 1 << 32
_BACKUP = 1 << 33
_LEAVING = 1 << 34
_TAKEN = 1 << 35
_COUNT = 36
_16_BITS = 0xFFFF
_HALF = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Occupant:
    """Who sits in a seat. *number* tells one from the next in the same seat."""

    number: int
    address: Inet
    weight: int
    backup: bool
    leaving: bool


class Seat:
    """The columns of one seat in control's row."""

    __slots__ = ("_head", "_high", "_low", "_row")

    def __init__(self, row: memoryview, columns: Columns, upstream: str, server: str) -> None:
        self._row = row
        self._head = columns.of(catalogue.SEAT, upstream, server)
        self._high = columns.of(catalogue.SEAT_HIGH, upstream, server)
        self._low = columns.of(catalogue.SEAT_LOW, upstream, server)

    @property
    def word(self) -> int:
        """Another number whenever `read` would say something else."""
        return self._row[self._head]

    def read(self) -> Occupant | None:
        """Who sits here; None: nobody, or somebody is just sitting down, and the bell will ring."""
        row = self._row
        head = row[self._head]
        number = row[self._high] << 64 | row[self._low]
        if not head & _TAKEN or head != row[self._head]:
            return None
        ip = ipaddress.IPv6Address(number) if head & _IPV6 else ipaddress.IPv4Address(number & 0xFFFFFFFF)
        address = Inet(str(ip), head & _16_BITS)
        weight = head >> _WEIGHT & _16_BITS
        return Occupant(head >> _COUNT, address, weight, bool(head & _BACKUP), bool(head & _LEAVING))

    # What follows is control's alone.

    def sit(self, address: Inet, weight: int, *, backup: bool) -> None:
        """Give the seat to *address*; one who sits here already gets another weight, or comes back."""
        row, now = self._row, self.read()
        same = now is not None and now.address == address
        if not same:
            self.vacate()
            ip = ipaddress.ip_address(address.host)
            row[self._high], row[self._low] = int(ip) >> 64, int(ip) & _HALF
        count = (row[self._head] >> _COUNT) + (0 if same else 1)
        flags = _TAKEN | (_IPV6 if ":" in address.host else 0) | (_BACKUP if backup else 0)
        row[self._head] = count << _COUNT | flags | weight << _WEIGHT | address.port

    def leave(self) -> None:
        """The name no longer has the address."""
        self._row[self._head] |= _LEAVING

    def vacate(self) -> None:
        """Nobody sits here; how many did is remembered."""
        self._row[self._head] = self._row[self._head] >> _COUNT << _COUNT
