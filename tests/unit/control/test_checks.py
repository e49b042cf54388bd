"""Which servers of an upstream are asked just now, where, and by what name."""

import asyncio
from dataclasses import replace

from l4d.address import Inet, Unix
from l4d.config import model
from l4d.control.checks import Checks
from l4d.health.probe import Known, Target
from l4d.stats.standing import Verdict
from l4d.stats.wish import Wish
from l4d.terms import ServerState
from tests.kit.jumping import run_jumping
from tests.unit.control.making import HERE, THERE, Desk, target
from tests.unit.making import CHECKED, member

READY, DRAIN, MAINT = ServerState.READY, ServerState.DRAIN, ServerState.MAINT


def test_a_server_is_asked_until_it_is_gone() -> None:
    desk = Desk()
    desk.checks.add("one", HERE, "db.test")
    assert desk.asking.asked == {Target("db", "one", HERE, "db.test"): Known()}
    desk.checks.remove("one")
    desk.checks.remove("one")
    assert desk.asking.asked == {}


def test_the_checker_is_told_what_is_known_already() -> None:
    desk = Desk()
    desk.standing().judge(Verdict.DOWN, 1.0)
    desk.standing().want(DRAIN, 50)
    desk.checks.add("one", HERE)
    assert list(desk.asking.asked.values()) == [Known(Verdict.DOWN, DRAIN, 50)]


def test_those_there_are_count_among_the_servers_of_the_upstream() -> None:
    async def conversation() -> None:
        desk = Desk(member(), member(name="two"), member(name="three"))
        for name in ("one", "two", "three"):
            desk.checks.add(name, HERE)
        desk.checks.remove("three")
        desk.book.judged(target(), Verdict.DOWN, "why")
        assert desk.lines == ["warning: server db/one is down: why; 1 of 2 are up"]

    run_jumping(conversation())


def test_the_same_server_once_more_is_asked_once() -> None:
    desk = Desk()
    desk.checks.add("one", HERE)
    desk.checks.add("one", HERE)  # Asking asserts it
    assert desk.asking.addresses == {"one": "10.0.0.1:5432"}


def test_another_server_in_its_place_is_asked_and_it_is_not() -> None:
    desk = Desk()
    desk.checks.add("one", HERE)
    desk.checks.add("one", THERE)
    assert desk.asking.addresses == {"one": "10.0.0.2:5432"}


def test_a_server_in_maint_by_the_file_is_not_asked() -> None:
    desk = Desk(member(state=MAINT), member(name="two", state=DRAIN))
    desk.checks.add("one", HERE)
    desk.checks.add("two", THERE)
    assert desk.asking.addresses == {"two": "10.0.0.2:5432"}


def test_the_operator_may_take_a_server_from_the_checks_and_give_it_back() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.checks.add("one", HERE)
        for state, asked in ((DRAIN, {"one"}), (MAINT, set()), (MAINT, set()), (READY, {"one"}), (READY, {"one"})):
            desk.book.wish("db", "one", Wish(state=state), "the operator")
            desk.checks.look("one")
            assert desk.asking.addresses.keys() == asked

    run_jumping(conversation())


def test_a_server_that_leaves_while_it_is_in_maint_does_not_come_back_with_ready() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.checks.add("one", HERE)
        desk.book.wish("db", "one", Wish(state=MAINT), "the operator")
        desk.checks.look("one")
        desk.checks.remove("one")
        desk.book.wish("db", "one", Wish(state=READY), "the operator")
        desk.checks.look("one")
        assert desk.asking.asked == {}

    run_jumping(conversation())


def desk_with_port(port: int, *entries: model.Server) -> Desk:
    return Desk(*entries, check=replace(CHECKED, port=port))


def test_another_port_may_be_asked() -> None:
    desk = desk_with_port(8080, member(), member(name="two"))
    desk.checks.add("one", HERE)
    desk.checks.add("two", Inet("::1", 80))
    assert desk.asking.addresses == {"one": "10.0.0.1:8080", "two": "[::1]:8080"}
    desk.checks.remove("one")
    assert desk.asking.addresses == {"two": "[::1]:8080"}


def test_a_server_whose_own_port_changes_is_asked_where_it_was() -> None:
    desk = desk_with_port(8080)
    desk.checks.add("one", HERE)
    before = next(iter(desk.asking.asked))
    desk.checks.add("one", HERE.with_port(1))
    assert list(desk.asking.asked) == [before]


def test_a_unix_socket_has_no_other_port() -> None:
    desk = desk_with_port(8080)
    desk.checks.add("one", Unix("/run/db"))
    assert desk.asking.addresses == {"one": "unix:/run/db"}


def test_where_there_are_no_checks_nobody_is_asked() -> None:
    desk = Desk()
    checks = Checks(desk.upstream, desk.book, None)
    checks.add("one", HERE)
    checks.look("one")
    checks.remove("one")
    asyncio.run(checks.close())
    assert desk.asking.asked == {}


def test_closing_closes_the_checker() -> None:
    desk = Desk()
    asyncio.run(desk.checks.close())
    assert desk.asking.closed


def test_an_upstream_is_known_when_every_server_that_is_asked_has_been_judged() -> None:
    async def conversation() -> None:
        desk = Desk(member(), member(name="two", state=MAINT))
        known = [desk.checks.known]  # nobody is asked yet
        desk.checks.add("one", HERE)
        desk.checks.add("two", THERE)
        known.append(desk.checks.known)
        desk.book.judged(target(), Verdict.DOWN, "why")
        known.append(desk.checks.known)
        assert known == [True, False, True], "one in maint is not asked"

    run_jumping(conversation())
