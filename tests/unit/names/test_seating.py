"""Who sits where: the decisions, and what becomes of them on the board."""

from l4d.address import Inet
from l4d.names.found import Found
from l4d.names.seating import Plan, Seated, Seating, plan
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.seat import Occupant, Seat

ONE, TWO, THREE = (Found(Inet(f"192.0.2.{number}", 80)) for number in (1, 2, 3))


def sits(found: Found, *, leaving: bool = False) -> Occupant:
    return Occupant(1, found.address, found.weight, found.backup, leaving)


def planned(
    occupants: list[Occupant | None], *found: Found, free: list[bool] | None = None, whole: bool = True
) -> Plan:
    return plan(occupants, free or [True] * len(occupants), found, whole=whole)


def test_newcomers_sit_down_in_order() -> None:
    assert planned([None, None, None], ONE, TWO) == Plan({}, {0: ONE, 1: TWO}, (), (), 0)


def test_who_sits_stays_and_nothing_has_to_be_done() -> None:
    assert planned([sits(TWO), sits(ONE)], ONE, TWO).empty


def test_who_is_found_no_longer_leaves_and_the_seat_is_not_given_away_at_once() -> None:
    assert planned([sits(ONE)], TWO) == Plan({}, {}, (0,), (), 1)


def test_who_has_left_keeps_the_seat_until_nothing_is_left_of_it() -> None:
    leaving: list[Occupant | None] = [sits(ONE, leaving=True)]
    assert planned(leaving, TWO, free=[False]) == Plan({}, {}, (), (), 1)
    assert planned(leaving, TWO, free=[True]) == Plan({}, {0: TWO}, (), (), 0)
    assert planned(leaving, free=[True]) == Plan({}, {}, (), (0,), 0)


def test_an_empty_seat_is_taken_before_one_that_was_left() -> None:
    assert planned([sits(ONE, leaving=True), None], TWO) == Plan({}, {1: TWO}, (), (0,), 0)


def test_an_empty_seat_with_something_left_in_it_is_not_taken() -> None:
    assert planned([None, None], ONE, free=[False, True]).arrive == {1: ONE}


def test_who_comes_back_has_the_same_seat() -> None:
    assert planned([None, sits(ONE, leaving=True)], ONE) == Plan({1: ONE}, {}, (), (), 0)


def test_another_weight_or_rank_is_told() -> None:
    heavy, backup = Found(ONE.address, 9), Found(ONE.address, 1, backup=True)
    assert planned([sits(ONE)], heavy).stay == {0: heavy}
    assert planned([sits(ONE)], backup).stay == {0: backup}


def test_too_few_seats_are_for_the_first_and_never_for_one_who_would_drive_another_out() -> None:
    assert planned([None], ONE, TWO, THREE) == Plan({}, {0: ONE}, (), (), 2)
    assert planned([sits(THREE)], ONE, TWO, THREE) == Plan({}, {}, (), (), 2)


def test_nobody_leaves_while_it_is_not_known_who_else_there_is() -> None:
    assert planned([sits(ONE), None], TWO, whole=False) == Plan({}, {1: TWO}, (), (), 0)


class Room:
    """Three seats on a board."""

    def __init__(self) -> None:
        board, columns = Board(rows=4, columns=64), Columns(64)
        row = board.row(board.take_row())
        self.seats = [Seat(row, columns, "db", f"db.test#{number}") for number in range(3)]
        self.free = [True] * 3
        self.made_ready: list[int] = []

    def seating(self) -> Seating:
        return Seating(self.seats, lambda seat: self.free[seat], self.made_ready.append)

    @property
    def who(self) -> list[str]:
        return [_word(seat.read()) for seat in self.seats]


def _word(occupant: Occupant | None) -> str:
    if occupant is None:
        return "nobody"
    return occupant.address.host + (" leaving" if occupant.leaving else "")


def test_addresses_come_and_go_on_the_board() -> None:
    room = Room()
    seating = room.seating()
    assert seating.seat((ONE, TWO), whole=True) == Seated(changed=True, unseated=0)
    assert room.who == ["192.0.2.1", "192.0.2.2", "nobody"]
    assert seating.seat((ONE, TWO), whole=True) == Seated(changed=False, unseated=0)

    room.free[0] = False
    assert seating.seat((TWO, THREE), whole=True) == Seated(changed=True, unseated=0)
    assert room.who == ["192.0.2.1 leaving", "192.0.2.2", "192.0.2.3"]
    assert not seating.tidy().changed
    room.free[0] = True
    assert seating.tidy().changed
    assert room.who == ["nobody", "192.0.2.2", "192.0.2.3"]
    assert room.made_ready == [0, 1, 2]


def test_those_without_a_seat_get_one_when_it_is_free() -> None:
    room = Room()
    four = tuple(Found(Inet(f"192.0.2.{number}", 80)) for number in range(4))
    seating = room.seating()
    assert seating.seat(four, whole=True).unseated == 1
    assert seating.seat(four[1:], whole=True) == Seated(changed=True, unseated=1)
    assert seating.tidy() == Seated(changed=True, unseated=0)
    assert room.who == ["192.0.2.3", "192.0.2.1", "192.0.2.2"]


def test_another_control_changes_nothing_until_it_knows_better() -> None:
    room = Room()
    room.seating().seat((ONE, TWO), whole=True)
    successor = room.seating()
    assert not successor.tidy().changed
    assert not successor.seat((TWO,), whole=False).changed
    assert successor.seat((TWO,), whole=True).changed
    assert room.who == ["192.0.2.1 leaving", "192.0.2.2", "nobody"]


def test_weight_and_rank_are_on_the_board() -> None:
    room = Room()
    seating = room.seating()
    seating.seat((ONE,), whole=True)
    seating.seat((Found(ONE.address, 7, backup=True),), whole=True)
    assert room.seats[0].read() == Occupant(1, ONE.address, 7, backup=True, leaving=False)
