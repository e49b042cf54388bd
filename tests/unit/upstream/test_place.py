"""A place: who is there now, and that one who comes into another's place is somebody else."""

import pytest

from l4d.address import Inet
from l4d.config.model import Server as Entry
from l4d.stats.seat import Seat
from l4d.stats.standing import Standing, Verdict, subject_of
from l4d.terms import ServerState
from l4d.upstream.place import Place
from l4d.upstream.server import Server
from tests.unit.making import Row, member, upstream

ONCE = upstream(max_fails=1, fail_timeout=10.0)
ONE, OTHER = Inet("10.0.0.1", 80), Inet("2001:db8::2", 8080)
NAME = "db.example:80"


@pytest.fixture
def here() -> Row:
    return Row()


def at(place: Place, now: float) -> Server:
    """Who is there *now*; somebody must be."""
    place.refresh(now)
    assert place.server is not None
    return place.server


def test_a_server_given_by_its_address_is_there_from_the_beginning(here: Row) -> None:
    place = here.place(weight=3, backup=True)
    before = place.server
    server = at(place, 1)
    assert server is before
    assert (server.weight, server.backup, server.open) == (3, True, True)


def test_a_seat_is_empty_until_control_gives_it_to_an_address(here: Row) -> None:
    place = here.seat_place(weight=3)
    place.refresh(1)
    assert place.server is None
    here.seat().sit(ONE, 7, backup=False)
    server = at(place, 2)
    assert (server.address, server.label, server.weight) == (ONE, f"db/{NAME}#1", 7)
    assert (server.backup, server.open) == (False, True)


@pytest.mark.parametrize(("entry", "seat"), [(True, False), (False, True), (True, True)])
def test_one_that_the_file_or_its_record_calls_a_backup_is_one(here: Row, entry: bool, seat: bool) -> None:
    place = here.seat_place(backup=entry)
    here.seat().sit(ONE, 1, backup=seat)
    assert at(place, 1).backup


def test_an_occupant_that_gets_another_weight_is_the_same_server(here: Row) -> None:
    place, seat = here.seat_place(), here.seat()
    seat.sit(ONE, 1, backup=False)
    before = at(place, 1)
    seat.sit(ONE, 5, backup=False)
    assert at(place, 2) is before
    assert before.weight == 5


def test_one_whose_name_has_lost_its_address_takes_nothing_new_until_it_comes_back(here: Row) -> None:
    place, seat = here.seat_place(), here.seat()
    seat.sit(ONE, 1, backup=False)
    before = at(place, 1)
    seat.leave()
    assert at(place, 2) is before
    assert not before.open
    seat.sit(ONE, 1, backup=False)
    assert at(place, 3) is before
    assert before.open


def test_a_vacated_seat_has_nobody(here: Row) -> None:
    place, seat = here.seat_place(), here.seat()
    seat.sit(ONE, 1, backup=False)
    at(place, 1)
    seat.vacate()
    place.refresh(2)
    assert place.server is None


@pytest.mark.parametrize("empty_between", [True, False])
def test_another_address_in_a_seat_is_another_server(here: Row, empty_between: bool) -> None:
    place, seat = here.seat_place(), here.seat()
    seat.sit(ONE, 1, backup=False)
    before = at(place, 1)
    before.answered_in(0.5, 1)
    seat.vacate()
    if empty_between:
        place.refresh(2)
    seat.sit(OTHER, 1, backup=False)
    after = at(place, 3)
    assert after is not before
    assert (after.address, before.address) == (OTHER, ONE)
    assert after.connect_time(3) == 0


def test_the_same_address_that_takes_its_seat_anew_is_another_server_too(here: Row) -> None:
    place, seat = here.seat_place(), here.seat()
    seat.sit(ONE, 1, backup=False)
    before = at(place, 1)
    seat.vacate()
    seat.sit(ONE, 1, backup=False)
    assert at(place, 2) is not before


@pytest.mark.parametrize("empty_between", [True, False])
def test_a_new_occupant_is_not_out_for_the_failures_of_the_last_one(here: Row, empty_between: bool) -> None:
    """For no worker, whichever looks first."""
    for first in (0, 1):
        row = Row()
        places = [row.seat_place(ONCE), row.another().seat_place(ONCE)]
        row.seat().sit(ONE, 1, backup=False)
        assert at(places[0], 100).failed(100)
        assert at(places[1], 101).out_until == 120
        row.seat().vacate()
        if empty_between:
            for place in places:
                place.refresh(102)
        row.seat().sit(OTHER, 1, backup=False)
        for place in (places[first], places[not first]):
            assert at(place, 103).out_until == 0


def test_the_failures_of_the_last_occupant_are_not_added_to_those_of_the_next(here: Row) -> None:
    place = here.seat_place(upstream(max_fails=2, fail_timeout=10.0))
    here.seat().sit(ONE, 1, backup=False)
    assert not at(place, 100).failed(100)
    here.seat().vacate()
    here.seat().sit(OTHER, 1, backup=False)
    assert [at(place, 101).failed(101), at(place, 102).failed(102)] == [False, True]


def test_a_worker_that_is_born_later_knows_that_the_present_occupant_is_out(here: Row) -> None:
    place = here.seat_place(ONCE)
    here.seat().sit(ONE, 1, backup=False)
    at(place, 100).failed(100)
    born = here.another().seat_place(ONCE)
    assert at(born, 101).out_until == 120
    assert at(place, 101).out_until == 110


def test_a_worker_born_while_a_seat_was_empty_holds_nothing_against_who_takes_it(here: Row) -> None:
    place = here.seat_place(ONCE)
    here.seat().sit(ONE, 1, backup=False)
    at(place, 100).failed(100)
    here.seat().vacate()
    born = here.another().seat_place(ONCE)
    born.refresh(101)
    here.seat().sit(OTHER, 1, backup=False)
    assert at(born, 102).out_until == 0


def test_a_look_while_control_writes_takes_no_server_for_another(here: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look found nobody, since a weight was just being written; the bell rings, and the same server is there."""
    place, seat = here.seat_place(ONCE), here.seat()
    seat.sit(ONE, 1, backup=False)
    before = at(place, 100)
    before.failed(100)
    with monkeypatch.context() as patched:
        patched.setattr(Seat, "read", lambda _seat: None)
        place.refresh(101)
    assert place.server is None
    assert at(place, 102) is before
    assert before.out_until == 110


def test_what_is_wished_of_a_name_holds_for_each_of_its_addresses(here: Row) -> None:
    places = [here.seat_place(number=number) for number in (1, 2)]
    for number, address in enumerate((ONE, OTHER), 1):
        here.seat(number).sit(address, 4, backup=False)
    entry: Entry = places[0]._entry
    whole = Standing(here.said, here.columns, "db", NAME)
    second = Standing(here.said, here.columns, "db", f"{NAME}#2")
    whole.wish_weight(9, entry)
    whole.wish_state(ServerState.DRAIN, entry)
    second.wish_state(ServerState.READY, entry)
    servers = [at(place, 1) for place in places]
    assert [(server.weight, server.open) for server in servers] == [(9, False), (9, True)]


def test_checks_judge_each_address_by_itself(here: Row) -> None:
    places = [here.seat_place(number=number) for number in (1, 2)]
    for number, address in enumerate((ONE, OTHER), 1):
        here.seat(number).sit(address, 1, backup=False)
    Standing(here.said, here.columns, "db", f"{NAME}#2").judge(Verdict.DOWN, 1)
    assert [at(place, 1).down for place in places] == [False, True]


def test_what_was_said_of_another_server_of_the_same_name_is_not_believed(here: Row) -> None:
    standing = Standing(here.said, here.columns, "db", "one")
    ours, theirs = here.place(), here.place(address=Inet("10.0.0.2", 5432))
    standing.begin(subject_of(upstream(), member()))
    standing.judge(Verdict.DOWN, 1)
    assert (at(ours, 2).down, at(theirs, 2).down) == (True, False)
    standing.begin(subject_of(upstream(), member(address=Inet("10.0.0.2", 5432))))
    standing.judge(Verdict.UP, 3)
    assert (at(ours, 4).down, at(theirs, 4).down) == (True, False), "a worker goes by what it knew of its own"


def test_what_is_to_be_said_against_a_server_is_told(here: Row) -> None:
    drained = here.place(state=ServerState.DRAIN)
    drained.refresh(1)
    assert drained.why_closed() == "drain, in the file"
    place = here.place(name="two")
    standing = Standing(here.said, here.columns, "db", "two")
    standing.wish_state(ServerState.MAINT, member(name="two"))
    assert place.why_closed() == "maint, by the operator"
    standing.wish_state(None, member(name="two"))
    standing.judge(Verdict.DOWN, 1)
    assert place.why_closed() == "down by its checks"


def test_an_address_that_has_left_its_name_is_closed_for_that(here: Row) -> None:
    place, seat = here.seat_place(), here.seat()
    seat.sit(ONE, 1, backup=False)
    assert not at(place, 1).leaving
    assert place.why_closed() == ""
    seat.leave()
    assert at(place, 2).leaving
    assert place.why_closed() == "its address has gone from DNS"
