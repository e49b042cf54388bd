"""Who sits where: the addresses of a name, and the seats that it has on the board.

    nobody --arrives--> sits <--its address is gone, is back--> leaves --nothing is left of it--> nobody

An address keeps its seat for as long as it is there, so that a worker's sessions and the checks of a server are never
taken for another's. A seat is given away only when it is *free*: no session, no memory of failed dials is left of the
last who sat there. Who is told to leave never loses the seat at the same time: workers hear of it later, and may be
about to dial.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from l4d.names.found import Found
from l4d.stats.seat import Occupant, Seat


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to change. Seats are named by their index."""

    stay: Mapping[int, Found]  # sit there already, and get another weight or rank, or are back
    arrive: Mapping[int, Found]
    leave: tuple[int, ...]
    vacate: tuple[int, ...]  # have left, and nobody arrives
    unseated: int  # how many addresses have no seat

    @property
    def empty(self) -> bool:
        """Whether all sit as they should."""
        return not (self.stay or self.arrive or self.leave or self.vacate)


def plan(occupants: Sequence[Occupant | None], free: Sequence[bool], found: Sequence[Found], *, whole: bool) -> Plan:
    """How to seat all of *found*, which are sorted and distinct. Too few seats are for the first of the newcomers.

    *free* says of each seat whether it may be given to somebody else. If *found* is not *whole*, nobody has to leave.
    """
    wanted = {one.address: one for one in found}
    sitting = {seat: occupant for seat, occupant in enumerate(occupants) if occupant}
    stay = {seat: wanted[occupant.address] for seat, occupant in sitting.items() if occupant.address in wanted}
    gone = {seat: occupant for seat, occupant in sitting.items() if seat not in stay}
    given_up = [seat for seat, occupant in gone.items() if occupant.leaving and free[seat]]
    nobody = [seat for seat, occupant in enumerate(occupants) if not occupant and free[seat]]

    seated = {occupant.address for occupant in sitting.values()}
    newcomers = [one for one in found if one.address not in seated]
    arrive = dict(zip([*nobody, *given_up], newcomers))  # noqa: B905 - as many as both have
    return Plan(
        stay={seat: one for seat, one in stay.items() if _differs(sitting[seat], one)},
        arrive=arrive,
        leave=tuple(seat for seat, occupant in gone.items() if whole and not occupant.leaving),
        vacate=tuple(seat for seat in given_up if seat not in arrive),
        unseated=len(newcomers) - len(arrive),
    )


def _differs(occupant: Occupant, found: Found) -> bool:
    """Whether *occupant*, whose address is that of *found*, has to be told something."""
    return occupant.leaving or (occupant.weight, occupant.backup) != (found.weight, found.backup)


@dataclass(frozen=True, slots=True)
class Seated:
    """What became of it."""

    changed: bool  # the bell has to be rung
    unseated: int  # how many addresses have no seat


class Seating:
    """The seats of one entry. Who sits is read from the board: it stays as it was when control is replaced, until the
    name has been asked for again."""

    def __init__(
        self, seats: Sequence[Seat], is_free: Callable[[int], bool], make_ready: Callable[[int], None]
    ) -> None:
        """*is_free* says of a seat, by index, whether nothing is left of the last who sat there.

        *make_ready* is called for a seat before somebody else sits down: what was known of the last one is forgotten.
        """
        self._seats = seats
        self._is_free = is_free
        self._make_ready = make_ready
        self._found: tuple[Found, ...] = ()
        self._whole = False

    def seat(self, found: tuple[Found, ...], *, whole: bool) -> Seated:
        """The name stands for *found* from now on: as Told.found has it."""
        self._found, self._whole = found, whole
        return self.tidy()

    def tidy(self) -> Seated:
        """To be called now and then: seats that have become free are vacated, or given to those who have none."""
        occupants = [seat.read() for seat in self._seats]
        sitting = {occupant.address for occupant in occupants if occupant is not None}
        wanted = any(one.address not in sitting for one in self._found)
        # Asked only where it matters: it is a look at all sessions of all workers.
        free = [
            (wanted if occupant is None else occupant.leaving) and self._is_free(index)
            for index, occupant in enumerate(occupants)
        ]
        what = plan(occupants, free, self._found, whole=self._whole)
        for index, one in what.stay.items():
            self._seats[index].sit(one.address, one.weight, backup=one.backup)
        for index in what.leave:
            self._seats[index].leave()
        for index in what.vacate:
            self._seats[index].vacate()
        for index, one in what.arrive.items():
            self._make_ready(index)
            self._seats[index].sit(one.address, one.weight, backup=one.backup)
        return Seated(not what.empty, what.unseated)
