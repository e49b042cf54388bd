"""A server given by name, as control has it: its addresses come and go, and each has a seat."""

from collections.abc import Iterator, Sequence

from l4d.address import Host, Inet
from l4d.config.model import SEATS, Server, Upstream
from l4d.control.book import Book
from l4d.control.checks import Checks
from l4d.log.log import Log
from l4d.names.found import Found
from l4d.names.seating import Seated, Seating
from l4d.stats import catalogue
from l4d.stats.columns import Columns
from l4d.stats.seat import Occupant, Seat

MOST_TOLD = 8
"""So many addresses of a name are told in a line of the log."""


class NamedServer:
    """One entry of `servers` that is a name. It is told what the name stands for (names.watch.Told)."""

    def __init__(
        self,
        upstream: Upstream,
        server: Server,
        book: Book,
        checks: Checks,
        columns: Columns,
        row: memoryview,
        log: Log,
    ) -> None:
        """*row* is control's."""
        self.server = server
        self._upstream = upstream
        self._book = book
        self._checks = checks
        self._log = log
        self._seats = [Seat(row, columns, upstream.name, name) for name in server.seats]
        self._row = row
        self._taken = columns.of(catalogue.SEATS_TAKEN, upstream.name, server.name)
        self._seating = Seating(self._seats, self._is_free, self._make_ready)
        self._host = server.address.name.rstrip(".") if isinstance(server.address, Host) else ""
        self._crowd = 0  # addresses without a seat
        self._told = False  # whether the name has been asked for, whatever came of it
        self._follow_seats()
        self._failures = self._count_failures()

    # What names tell

    def found(self, found: tuple[Found, ...], whole: bool) -> None:
        self._told = True
        if {one.address for one in found} != {occupant.address for occupant in self._occupants()}:
            self._log.info(f"{self._label} is {_few([str(one.address) for one in found])}")
        self._settle(self._seating.seat(tuple(filter(self._can_be_dialled, found)), whole=whole))

    def troubled(self, reason: str) -> None:
        self._told = True
        known = len(list(self._occupants()))
        if known:
            self._log.warning(f"{self._label}: {reason}; it has {known} {'address' if known == 1 else 'addresses'}")
        else:
            self._log.warning(f"server {self._label} is down: name: {reason}")

    def well(self) -> None:
        self._log.info(f"{self._label}: the name is resolved again")

    def _can_be_dialled(self, one: Found) -> bool:
        """From an address of the upstream's `source` only those of its own family can be."""
        source = self._upstream.source
        return not source or Inet(source, 0).family == one.address.family

    # What is looked at now and then

    def tidy(self) -> None:
        """Seats of those who have left become free when nothing is left of them."""
        self._settle(self._seating.tidy())

    @property
    def known(self) -> bool:
        """Whether it has an address, or has been asked for one."""
        return self._told or any(True for _ in self._occupants())

    def _occupants(self) -> Iterator[Occupant]:
        """Those of its addresses that it still has."""
        for seat in self._seats:
            occupant = seat.read()
            if occupant is not None and not occupant.leaving:
                yield occupant

    def dials_fail(self) -> bool:
        """Whether dials have failed since this was asked the last time."""
        before, self._failures = self._failures, self._count_failures()
        return self._failures > before

    def _settle(self, seated: Seated) -> None:
        """After the seats were gone through."""
        if seated.unseated > self._crowd:
            self._log.warning(f"{self._label}: {seated.unseated} addresses more than the {SEATS} a name may have")
        self._crowd = seated.unseated
        if seated.changed:
            self._follow_seats()
            self._book.ring()

    def _follow_seats(self) -> None:
        """Check those who sit, and nobody else; workers look at seats that were ever taken."""
        for number, (name, seat) in enumerate(zip(self.server.seats, self._seats, strict=True), start=1):
            occupant = seat.read()
            if occupant is not None:
                self._row[self._taken] = max(number, self._row[self._taken])
            if occupant is None or occupant.leaving:
                self._checks.remove(name)
            else:
                self._checks.add(name, occupant.address, self._host)

    def _count_failures(self) -> int:
        """Of all who ever had a seat, so that it never becomes less."""
        names = self.server.seats[: self._row[self._taken]]
        return sum(self._book.failures(self._upstream.name, name) for name in names)

    def _is_free(self, index: int) -> bool:
        return self._book.is_free(self._upstream, self.server.seats[index])

    def _make_ready(self, index: int) -> None:
        self._checks.remove(self.server.seats[index])
        self._book.forget(self._upstream.name, self.server.seats[index])

    @property
    def _label(self) -> str:
        return f"{self._upstream.name}/{self.server.name}"


def _few(texts: Sequence[str]) -> str:
    """Some of *texts*, and how many more there are."""
    rest = len(texts) - MOST_TOLD
    return ", ".join(texts[:MOST_TOLD]) + (f" and {rest} more" if rest > 0 else "")
