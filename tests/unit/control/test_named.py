"""A server given by name: its addresses get seats, are checked, leave, and make room."""

import ipaddress
from typing import Any

import pytest

from l4d.address import Host, Inet, Srv
from l4d.config.model import SEATS
from l4d.control.book import Book
from l4d.control.named import NamedServer
from l4d.health.probe import Known
from l4d.names.found import Found
from l4d.stats import catalogue
from l4d.stats.seat import Seat
from l4d.stats.standing import Verdict
from l4d.stats.tally import ServerTally
from l4d.stats.wish import Wish
from l4d.terms import ServerState
from l4d.upstream.places import Places as Seen
from tests.kit.jumping import run_jumping
from tests.unit.control.making import Desk, target
from tests.unit.making import member

NAME = "db.test:80"
ONE, TWO, THREE = (Found(Inet(f"10.0.0.{number}", 80)) for number in (1, 2, 3))


class Named(Desk):
    """A desk with one entry, db.test:80, and the places that a worker sees of it."""

    def __init__(self, **settings: Any) -> None:
        self.named = member(name=NAME, address=Host("db.test", 80))
        super().__init__(self.named, **settings)
        self.entry = self.open_entry(self.book)
        row = self.row
        self.seen = Seen(self.upstream, self.named, row.board, row.columns, row.row, row.said)

    def open_entry(self, book: Book) -> NamedServer:
        return NamedServer(self.upstream, self.named, book, self.checks, self.row.columns, self.row.said, self.log)

    @property
    def addresses(self) -> dict[str, str]:
        """What a worker sees: the servers that may be given sessions."""
        places = self.seen.now()
        for place in places:
            place.refresh(1000.0)
        return {each.name: str(each.address) for place in places if (each := place.server) is not None and each.open}

    @property
    def seats_taken(self) -> int:
        return self.row.said[self.row.columns.of(catalogue.SEATS_TAKEN, "db", NAME)]

    def fail(self, server: str) -> None:
        """One dial of the server fails, in a worker."""
        tally = ServerTally(self.row.row, self.row.columns, "db", server)
        self.row.row[tally.failures["refused"]] += 1


def crowd(number: int) -> tuple[Found, ...]:
    first = ipaddress.IPv4Address("10.1.0.1")
    return tuple(Found(Inet(str(first + i), 80)) for i in range(number))


def test_every_address_is_a_server_that_workers_see_and_that_is_checked() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        assert named.addresses == {f"{NAME}#1": "10.0.0.1:80", f"{NAME}#2": "10.0.0.2:80"}
        assert named.asking.addresses == named.addresses
        assert {each.host for each in named.asking.asked} == {"db.test"}, "for its certificate"
        assert named.rings() == 1
        assert named.lines == [f"info: db/{NAME} is 10.0.0.1:80, 10.0.0.2:80"]

    run_jumping(conversation())


def test_when_the_bell_rings_workers_can_see_how_many_seats_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation() -> None:
        named = Named()
        seen = []
        monkeypatch.setattr(named.row.board, "ring", lambda: seen.append((named.seats_taken, len(named.addresses))))
        named.entry.found((ONE, TWO, THREE), whole=True)
        assert seen == [(3, 3)]

    run_jumping(conversation())


def test_a_name_with_a_dot_at_its_end_is_the_same_in_a_certificate() -> None:
    async def conversation() -> None:
        named = Named()
        named.named = member(name=NAME, address=Host("db.test.", 80))
        named.open_entry(named.book).found((ONE,), whole=True)
        assert {each.host for each in named.asking.asked} == {"db.test"}

    run_jumping(conversation())


def test_a_target_of_a_service_has_no_name_of_its_own() -> None:
    async def conversation() -> None:
        named = Named()
        named.named = member(name=NAME, address=Srv("_pg._tcp.db.test"))
        named.open_entry(named.book).found((ONE,), whole=True)
        assert {each.host for each in named.asking.asked} == {""}

    run_jumping(conversation())


def test_a_vanished_address_is_given_nothing_and_is_not_checked_any_more() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        named.entry.found((TWO,), whole=True)
        assert named.addresses == {f"{NAME}#2": "10.0.0.2:80"}
        assert named.asking.addresses == named.addresses

    run_jumping(conversation())


def test_an_answer_that_is_not_whole_takes_nothing_away() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        named.entry.found((TWO, THREE), whole=False)
        assert set(named.addresses.values()) == {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"}

    run_jumping(conversation())


def test_an_address_that_comes_back_is_the_server_it_was() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        before = named.addresses
        named.entry.found((TWO,), whole=True)
        named.entry.found((ONE, TWO), whole=True)
        assert named.addresses == before
        assert named.asking.addresses == before

    run_jumping(conversation())


def test_a_seat_is_given_to_another_only_when_its_last_session_has_gone() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE,), whole=True)
        assert named.addresses
        server = named.seen.now()[0].server
        assert server is not None
        assert server.take()
        named.entry.found((TWO,), whole=True)
        named.entry.tidy()
        named.entry.found((THREE,), whole=True)
        assert named.addresses == {f"{NAME}#3": "10.0.0.3:80"}
        server.give_back()
        named.entry.tidy()
        named.entry.found((ONE, THREE), whole=True)
        assert named.addresses == {f"{NAME}#1": "10.0.0.1:80", f"{NAME}#3": "10.0.0.3:80"}

    run_jumping(conversation())


@pytest.mark.parametrize(("source", "seated"), [("", 3), ("127.0.0.1", 2), ("::1", 1)])
def test_only_addresses_that_can_be_dialled_from_the_upstreams_source_get_a_seat(source: str, seated: int) -> None:
    async def conversation() -> None:
        named = Named(source=source)
        named.entry.found((ONE, TWO, Found(Inet("2001:db8::1", 80))), whole=True)
        assert len(named.addresses) == named.seats_taken == seated

    run_jumping(conversation())


def test_who_gets_the_seat_of_another_gets_nothing_that_was_said_of_that() -> None:
    async def conversation() -> None:
        named = Named()
        seat = f"{NAME}#1"
        named.entry.found((ONE,), whole=True)
        named.book.judged(target(seat), Verdict.DOWN, "why")
        named.book.wanted(target(seat), ServerState.DRAIN, 50)
        named.book.wish("db", seat, Wish(state=ServerState.DRAIN), "the operator")
        named.entry.found((TWO,), whole=True)
        named.entry.tidy()
        named.entry.found((TWO, THREE), whole=True)
        assert named.addresses[seat] == "10.0.0.3:80"
        assert {each.server: known for each, known in named.asking.asked.items()}[seat] == Known()

    run_jumping(conversation())


def test_a_wish_for_the_name_holds_for_whoever_comes() -> None:
    async def conversation() -> None:
        named = Named()
        named.book.wish("db", NAME, Wish(state=ServerState.MAINT), "the operator")
        named.entry.found((ONE, TWO), whole=True)
        assert named.addresses == {}
        assert named.asking.asked == {}

    run_jumping(conversation())


def test_nothing_rings_where_nothing_changes() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE,), whole=True)
        named.book.close()
        named.rings()
        for _ in range(5):
            named.entry.tidy()
        assert named.rings() == 0

    run_jumping(conversation())


def test_more_addresses_than_seats_are_told_once_and_again_when_they_are_more() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found(crowd(SEATS + 1), whole=True)
        assert "warning: db/db.test:80: 1 addresses more than the 64 a name may have" in named.lines
        for _ in range(5):
            named.entry.tidy()
        assert named.lines == []
        named.entry.found(crowd(SEATS + 3), whole=True)
        assert [line for line in named.lines if "warning" in line] == [
            "warning: db/db.test:80: 3 addresses more than the 64 a name may have"
        ]
        assert len(named.addresses) == SEATS == named.seats_taken

    run_jumping(conversation())


def test_who_found_no_seat_gets_the_one_that_becomes_free() -> None:
    async def conversation() -> None:
        named = Named()
        many = crowd(SEATS + 1)
        named.entry.found(many, whole=True)
        assert str(many[-1].address) not in named.addresses.values()
        named.entry.found(many[1:], whole=True)
        named.entry.tidy()
        assert set(named.addresses.values()) == {str(one.address) for one in many[1:]}

    run_jumping(conversation())


# What goes wrong with the name


def test_a_name_without_any_address_is_down() -> None:
    named = Named()
    named.entry.troubled("127.0.0.1:53: connection refused")
    assert named.lines == [f"warning: server db/{NAME} is down: name: 127.0.0.1:53: connection refused"]
    named.entry.well()
    assert named.lines == [f"info: db/{NAME}: the name is resolved again"]


def test_what_was_found_before_holds_though_the_nameserver_fails() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE,), whole=True)
        assert named.lines
        named.entry.troubled("SERVFAIL")
        assert named.lines == [f"warning: db/{NAME}: SERVFAIL; it has 1 address"]
        assert named.addresses
        assert named.asking.asked

    run_jumping(conversation())


# The next control process


def test_the_next_control_process_checks_who_sits_there_before_any_nameserver_has_answered() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        named.entry.found((ONE,), whole=True)
        named.checks.remove(f"{NAME}#1")
        named.open_entry(named.open_book(named.upstream))
        assert named.asking.addresses == {f"{NAME}#1": "10.0.0.1:80"}
        assert named.seats_taken == 2

    run_jumping(conversation())


def test_one_that_died_between_a_seat_and_the_count_of_seats_is_made_good() -> None:
    named = Named()
    Seat(named.row.said, named.row.columns, "db", f"{NAME}#3").sit(ONE.address, 1, backup=False)
    named.open_entry(named.book)
    assert named.seats_taken == 3


# Dials that fail


def test_a_failed_dial_of_any_address_is_noticed_once() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        assert not named.entry.dials_fail()
        named.fail(f"{NAME}#2")
        assert named.entry.dials_fail()
        assert not named.entry.dials_fail()

    run_jumping(conversation())


def test_failures_of_before_are_no_news_to_the_next_control_process() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE,), whole=True)
        named.fail(f"{NAME}#1")
        assert not named.open_entry(named.book).dials_fail()

    run_jumping(conversation())


def test_a_failed_dial_is_noticed_though_another_address_that_failed_more_often_has_gone() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        for _ in range(10):
            named.fail(f"{NAME}#1")
        assert named.entry.dials_fail()
        named.entry.found((TWO,), whole=True)
        named.entry.tidy()
        named.fail(f"{NAME}#2")
        assert named.entry.dials_fail()

    run_jumping(conversation())


def test_a_name_is_known_when_it_was_asked_for_or_has_an_address_from_before() -> None:
    async def conversation() -> None:
        named = Named()
        known = [named.entry.known]
        named.entry.troubled("SERVFAIL")
        known.append(named.entry.known)
        assert known == [False, True]
        named.entry.found((ONE,), whole=True)
        assert named.open_entry(named.book).known, "the board knows its address"

    run_jumping(conversation())


def test_an_answer_that_changes_nothing_is_not_told_again_and_of_many_addresses_some_are() -> None:
    async def conversation() -> None:
        named = Named()
        named.entry.found((ONE, TWO), whole=True)
        assert len(named.lines) == 1
        named.entry.found((ONE, TWO), whole=True)
        assert named.lines == []
        named.entry.found(crowd(10), whole=True)
        [line] = named.lines
        assert line.endswith("10.1.0.8:80 and 2 more")

    run_jumping(conversation())
