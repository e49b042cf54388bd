"""Seats beside a dull model: nobody has two, nobody moves, none is given away too early or left empty without need."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from l4d.address import Inet
from l4d.names.found import Found, distinct
from l4d.names.seating import Seating
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.seat import Occupant, Seat

SEATS = 4
HOSTS = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2", "::", "255.255.255.255")

FOUND = st.lists(
    st.builds(
        Found,
        st.builds(Inet, st.sampled_from(HOSTS), st.sampled_from([0, 80])),
        st.integers(1, 65535),
        st.booleans(),
    ),
    min_size=1,
    max_size=2 * SEATS,
).map(distinct)


class SeatsAgainstPlainSets(RuleBasedStateMachine):
    """Addresses come and go, seats are busy and free. The model is what was found last, and who was told to leave."""

    def __init__(self) -> None:
        super().__init__()
        board, columns = Board(rows=2, columns=64), Columns(64)
        row = board.row(board.take_row())
        self.seats = [Seat(row, columns, "db", f"name#{number}") for number in range(SEATS)]
        self.busy: set[int] = set()
        self.found: tuple[Found, ...] = ()
        self.seating = self.another()

    def another(self) -> Seating:
        return Seating(self.seats, lambda seat: seat not in self.busy, self.gets_ready)

    def gets_ready(self, seat: int) -> None:
        assert seat not in self.busy, "a seat is given away that is not free"

    def sitting(self) -> dict[int, Occupant]:
        return {number: occupant for number, seat in enumerate(self.seats) if (occupant := seat.read())}

    @rule(found=FOUND, whole=st.booleans())
    def something_is_found(self, found: tuple[Found, ...], whole: bool) -> None:
        before = self.sitting()
        self.found = found
        seated = self.seating.seat(found, whole=whole)
        self.look(before, seated.changed, seated.unseated)
        for number, occupant in before.items():
            gone = occupant.address not in {one.address for one in found}
            if gone and not occupant.leaving:
                assert self.sitting()[number].leaving == whole

    @rule()
    def it_is_tidied(self) -> None:
        before = self.sitting()
        seated = self.seating.tidy()
        self.look(before, seated.changed, seated.unseated)

    @rule(seats=st.sets(st.integers(0, SEATS - 1)))
    def sessions_come_and_go(self, seats: set[int]) -> None:
        """In seats where somebody sits, and where nobody does their last ones may linger."""
        self.busy = seats

    @rule()
    def control_is_replaced(self) -> None:
        before = self.sitting()
        self.seating = self.another()
        if self.found:
            seated = self.seating.seat(self.found, whole=False)
            self.look(before, seated.changed, seated.unseated)

    def look(self, before: dict[int, Occupant], changed: bool, unseated: int) -> None:
        """What may follow *before*."""
        now = self.sitting()
        wanted = {one.address for one in self.found}
        assert changed == (now != before)
        assert unseated == len(wanted - {occupant.address for occupant in now.values()})
        for number, occupant in before.items():
            if occupant.address in wanted or number in self.busy or not occupant.leaving:
                assert now[number].address == occupant.address, "a seat was taken from somebody"
                assert now[number].number == occupant.number
        open_seats = set(range(SEATS)) - now.keys() - self.busy
        assert not (unseated and open_seats), "somebody stands, and a seat is free"
        lost = [number for number, occupant in now.items() if occupant.leaving and number not in self.busy]
        assert all(number in before and not before[number].leaving for number in lost), "a free seat was not given up"

    @invariant()
    def nobody_has_two_seats(self) -> None:
        addresses = [occupant.address for occupant in self.sitting().values()]
        assert len(addresses) == len(set(addresses))

    @invariant()
    def who_is_found_and_sits_is_as_was_found(self) -> None:
        wanted = {one.address: one for one in self.found}
        for occupant in self.sitting().values():
            if occupant.address in wanted:
                one = wanted[occupant.address]
                assert (occupant.weight, occupant.backup, occupant.leaving) == (one.weight, one.backup, False)


def test_seats_are_given_as_plain_sets_have_it() -> None:
    run_state_machine_as_test(SeatsAgainstPlainSets, settings=settings(deadline=None, max_examples=150))
