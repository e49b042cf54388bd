"""The book: what is told of a server, when the bell is rung, what outlives a control process."""

import asyncio
import time
from dataclasses import replace

import pytest

from l4d.address import Host
from l4d.config import model
from l4d.control.book import MOMENT
from l4d.health.probe import Known
from l4d.stats import catalogue
from l4d.stats.standing import Verdict, subject_of
from l4d.stats.tally import ServerTally
from l4d.stats.wish import Unsaid, Wish
from l4d.terms import CheckType, Level, Role, ServerState
from tests.kit.jumping import run_jumping
from tests.unit.control.making import THERE, Desk, target
from tests.unit.making import CHECKED, NO_CHECK, member, upstream

READY, DRAIN, MAINT = ServerState.READY, ServerState.DRAIN, ServerState.MAINT

TCP = replace(CHECKED, type=CheckType.TCP)
NAMED = member(name="db.test:80", address=Host("db.test", 80))


# What checks say


def test_a_server_that_goes_down_is_a_warning_and_one_that_comes_back_is_told() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.judged(target(), Verdict.DOWN, "3 checks failed, the last: connection refused")
        assert desk.lines == ["warning: server db/one is down: 3 checks failed, the last: connection refused"]
        assert desk.book.known("db", "one").verdict is Verdict.DOWN
        desk.book.judged(target(), Verdict.UP, "2 checks were good")
        assert desk.lines == ["info: server db/one is up: 2 checks were good"]
        assert desk.standing().verdict is Verdict.UP

    run_jumping(conversation())


def test_the_first_good_check_is_no_news_where_the_server_was_taken_for_well() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.judged(target(), Verdict.UP, "the check was good")
        assert desk.lines == ["debug: server db/one is up: the check was good"]

    run_jumping(conversation())


def test_the_first_good_check_is_news_where_the_role_decides() -> None:
    async def conversation() -> None:
        desk = Desk(check=replace(CHECKED, role=Role.PRIMARY))
        desk.book.judged(target(), Verdict.UP, "is a primary")
        assert desk.lines == ["info: server db/one is up: is a primary"]

    run_jumping(conversation())


@pytest.mark.parametrize("verdict", [Verdict.UP, Verdict.DOWN])
def test_what_is_known_already_is_neither_told_nor_rung_for(verdict: Verdict) -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.judged(target(), verdict, "why")
        await asyncio.sleep(2 * MOMENT)
        desk.rings()
        assert len(desk.lines) == 1
        desk.book.judged(target(), verdict, "why")
        await asyncio.sleep(2 * MOMENT)
        assert desk.lines == []
        assert desk.rings() == 0

    run_jumping(conversation())


def test_a_server_that_comes_back_is_remembered_with_its_time() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.judged(target(), Verdict.DOWN, "why")
        before = time.monotonic()
        desk.book.judged(target(), Verdict.UP, "why")
        up_since = desk.standing().read(member(), 1).up_since
        assert before - 0.001 <= up_since <= time.monotonic() + 0.001

    run_jumping(conversation())


def test_every_check_is_counted_and_rings_nobody() -> None:
    desk = Desk()
    for well in (True, True, False):
        desk.book.checked(target(), well, "" if well else "refused")
    counted = {labels[2]: desk.row.said[column] for labels, column in desk.row.columns.each(catalogue.SERVER_CHECKS)}
    assert counted == {"good": 2, "failed": 1}
    assert desk.rings() == 0
    assert desk.lines == []


@pytest.mark.parametrize(
    ("state", "percent", "words"),
    [(DRAIN, None, "drain"), (MAINT, 50, "maint, 50 % of its weight"), (None, 75, "nothing, 75 % of its weight")],
)
def test_what_an_agent_wants_is_told_and_workers_see_it(
    state: ServerState | None, percent: int | None, words: str
) -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.wanted(target(), state, percent)
        assert desk.lines == [f"info: server db/one: its agent wants {words}"]
        assert desk.rings() == 1
        found = desk.standing().read(member(weight=4), 4)
        assert (found.state, found.weight) == (state or READY, 4 * (percent or 100) / 100)

    run_jumping(conversation())


def test_a_server_that_goes_down_is_told_with_how_many_are_left() -> None:
    async def conversation() -> None:
        desk = Desk(member(), member(name="two"), NAMED)
        for name in ("one", "two"):
            desk.book.come("db", name)
        desk.book.judged(target("one"), Verdict.DOWN, "why")
        desk.book.judged(target("two"), Verdict.DOWN, "why")
        assert desk.lines == [
            "warning: server db/one is down: why; 1 of 2 are up",
            "warning: server db/two is down: why; none of 2 is up",
        ]
        desk.book.judged(target("two"), Verdict.UP, "why")
        desk.book.gone("db", "one")
        desk.book.gone("db", "one")
        desk.book.come("db", "db.test:80#1")
        assert desk.lines == ["info: server db/two is up: why"]
        desk.book.judged(target("two"), Verdict.DOWN, "why")
        assert desk.lines == ["warning: server db/two is down: why; 1 of 2 are up"]

    run_jumping(conversation())


def test_of_a_server_that_is_alone_it_is_not_told_how_many_are_left() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.come("db", "one")
        desk.book.judged(target(), Verdict.DOWN, "why")
        assert desk.lines == ["warning: server db/one is down: why"]

    run_jumping(conversation())


# The bell


def test_the_bell_rings_at_once_and_then_once_in_a_moment_however_much_is_written() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.ring()
        assert desk.rings() == 1
        for _ in range(100):
            desk.book.ring()
        assert desk.rings() == 0
        await asyncio.sleep(MOMENT * 1.5)
        assert desk.rings() == 1, "what was written in the moment is told at its end"
        await asyncio.sleep(10 * MOMENT)
        assert desk.rings() == 0, "and once"
        desk.book.close()

    run_jumping(conversation())


def test_after_a_quiet_moment_the_bell_rings_at_once_again() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.ring()
        await asyncio.sleep(2 * MOMENT)
        assert desk.rings() == 1
        desk.book.ring()
        assert desk.rings() == 1

    run_jumping(conversation())


def test_nothing_is_left_unheard_when_the_book_is_closed() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.ring()
        desk.book.ring()
        desk.rings()
        desk.book.close()
        assert desk.rings() == 1
        desk.book.close()
        await asyncio.sleep(10 * MOMENT)
        assert desk.rings() == 0

    run_jumping(conversation())


def test_a_book_in_which_nothing_was_written_is_closed_in_silence() -> None:
    desk = Desk()
    desk.book.close()
    assert desk.rings() == 0


# Who is checked


@pytest.mark.parametrize("state", ServerState)
def test_only_maint_keeps_checks_away(state: ServerState) -> None:
    assert Desk(member(state=state)).book.wants_checks("db", "one") is (state is not MAINT)


def test_the_operators_word_counts_more_than_the_files() -> None:
    async def conversation() -> None:
        desk = Desk(member(state=MAINT), member(name="two"))
        desk.book.wish("db", "one", Wish(state=READY), "the operator")
        desk.book.wish("db", "two", Wish(state=MAINT), "the operator")
        assert desk.book.wants_checks("db", "one")
        assert not desk.book.wants_checks("db", "two")

    run_jumping(conversation())


def test_an_agent_that_wants_maint_is_asked_again_or_it_could_never_take_that_back() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.wanted(target(), MAINT, None)
        assert desk.book.wants_checks("db", "one")

    run_jumping(conversation())


def test_what_is_wished_of_a_name_is_wished_of_all_its_addresses_but_those_that_have_a_wish_of_their_own() -> None:
    async def conversation() -> None:
        desk = Desk(NAMED)
        desk.book.wish("db", "db.test:80", Wish(state=MAINT), "the operator")
        desk.book.wish("db", "db.test:80#2", Wish(state=READY), "the operator")
        assert not desk.book.wants_checks("db", "db.test:80#1")
        assert desk.book.wants_checks("db", "db.test:80#2")
        assert not desk.book.wants_checks("db", "db.test:80#64")

    run_jumping(conversation())


# What the operator wishes


def test_workers_do_as_the_operator_wishes() -> None:
    async def conversation() -> None:
        desk = Desk(member(), member(name="two"))
        pool = desk.row.pool(desk.row.place(name="one"), desk.row.place(name="two"))
        pool.refresh(1000)
        one, two = pool.servers
        desk.book.wish("db", "one", Wish(weight=5, max_sessions=6), "the operator")
        desk.book.wish("db", "two", Wish(state=DRAIN), "the operator")
        assert {pool.choose((), 1000, ("127.0.0.1", 1), 80) for _ in range(6)} == {one}
        assert (one.weight, one.max_sessions, one.open) == (5, 6, True)
        assert not two.open
        desk.book.wish("db", "two", Wish(state=READY), "the operator")
        desk.book.close()
        assert {pool.choose((), 1000, ("127.0.0.1", 1), 80) for _ in range(6)} == {two}, "for one has all it may have"

    run_jumping(conversation())


def test_a_wish_leaves_what_it_does_not_speak_of() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.wish("db", "one", Wish(state=DRAIN), "the operator")
        desk.book.wish("db", "one", Wish(weight=5), "the operator")
        desk.book.wish("db", "one", Wish(max_sessions=9), "the operator")
        found = desk.standing().read(member(), 1)
        assert (found.state, found.weight, found.max_sessions) == (DRAIN, 5, 9)

    run_jumping(conversation())


def test_a_wish_is_told() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.wish("db", "one", Wish(state=DRAIN, weight=5, max_sessions=0), "the operator")
        assert desk.lines == ["info: server db/one: state drain, weight 5, max_sessions 0 (by the operator)"]
        assert desk.rings() == 1

    run_jumping(conversation())


def test_a_wish_is_taken_back_by_wishing_for_what_the_file_says() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.wish("db", "one", Wish(state=DRAIN, weight=5, max_sessions=9), "alice")
        desk.book.wish("db", "one", Wish(state=Unsaid.FILE, max_sessions=Unsaid.FILE), "alice")
        found = desk.standing().read(member(), 1)
        assert (found.state, found.weight, found.max_sessions) == (READY, 5, 0)
        desk.book.wish("db", "one", Wish(weight=Unsaid.FILE), "alice")
        assert desk.standing().wishes(member()) == (None, None, None)

    run_jumping(conversation())


def test_a_name_means_one_server_or_all_that_an_entry_stands_for() -> None:
    name = "db.test:80"
    desk = Desk(member(), member(name=name, address=Host("db.test", 80)))
    assert desk.book.seats("db", "one") == ("one",)
    assert desk.book.seats("db", f"{name}#2") == (f"{name}#2",)
    assert desk.book.seats("db", name)[:2] == (f"{name}#1", f"{name}#2")


# What the operator is told


def test_why_a_check_failed_is_known_until_another_server_is_there() -> None:
    desk = Desk()
    assert desk.book.reason("db", "one") is None
    desk.book.checked(target(), False, "refused")
    desk.book.checked(target(), True, "")
    assert desk.book.reason("db", "one") == "refused"
    desk.book.forget("db", "one")
    assert desk.book.reason("db", "one") is None


def test_it_is_known_when_a_verdict_changed_last_also_by_the_next_control_process() -> None:
    async def conversation() -> None:
        desk = Desk()
        assert desk.book.judged_at("db", "one") == 0
        desk.book.judged(target(), Verdict.DOWN, "refused")
        since = desk.book.judged_at("db", "one")
        assert since > 0
        await asyncio.sleep(5)
        desk.book.judged(target(), Verdict.DOWN, "refused")
        assert desk.open_book(desk.upstream).judged_at("db", "one") == since

    run_jumping(conversation())


@pytest.mark.parametrize(("upstream_name", "server"), [("db", "two"), ("dc", "one"), ("db", "one#1")])
def test_there_must_be_such_a_server(upstream_name: str, server: str) -> None:
    desk = Desk()
    with pytest.raises(KeyError):
        desk.book.wish(upstream_name, server, Wish(state=DRAIN), "the operator")
    assert desk.lines == []
    assert desk.rings() == 0


# What outlives a control process


def test_the_next_control_process_goes_on_from_what_the_last_one_wrote() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.open()
        desk.book.judged(target(), Verdict.DOWN, "why")
        desk.book.wish("db", "one", Wish(state=DRAIN, weight=5), "the operator")
        desk.book.wanted(target(), None, 50)
        desk.book.close()
        desk.rings()
        book = desk.open_book(desk.upstream)
        book.open()
        found = desk.standing().read(member(), 1, subject=subject_of(desk.upstream, member()))
        assert (found.verdict, found.state, found.weight) == (Verdict.DOWN, DRAIN, 2.5)
        assert book.known("db", "one") == Known(Verdict.DOWN, None, 50)
        assert desk.rings() == 1, "workers born since look, too"

    run_jumping(conversation())


def test_a_wish_is_dropped_where_the_file_says_something_else_now_and_only_there() -> None:
    async def conversation() -> None:
        desk = Desk(member(weight=2))
        desk.book.wish("db", "one", Wish(state=DRAIN, weight=5, max_sessions=3), "the operator")
        desk.open_book(upstream(servers=(member(weight=4),))).open()
        desk.open_book(desk.upstream).open()
        found = desk.standing().read(member(weight=2), 2)
        assert (found.state, found.weight, found.max_sessions) == (DRAIN, 2, 3), "nor does it come back with the file"

    run_jumping(conversation())


def test_where_there_are_no_checks_any_more_nobody_is_down() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.open()
        desk.book.judged(target(), Verdict.DOWN, "why")
        desk.open_book(upstream(servers=(member(),), check=NO_CHECK)).open()
        assert desk.standing().verdict is Verdict.UNKNOWN

    run_jumping(conversation())


@pytest.mark.parametrize(
    "now_asked",
    [
        upstream(servers=(member(),), check=TCP),
        upstream(servers=(member(),), check=replace(CHECKED, port=8080)),
        upstream(servers=(member(),), check=replace(CHECKED, role=Role.PRIMARY)),
        upstream(servers=(member(address=THERE),), check=CHECKED),
    ],
    ids=["in another way", "at another port", "for its role", "at another address"],
)
def test_where_something_else_is_asked_now_nothing_is_known_but_what_the_operator_wishes(
    now_asked: model.Upstream,
) -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.open()
        desk.book.judged(target(), Verdict.DOWN, "why")
        desk.book.judged(target(), Verdict.UP, "why")
        desk.book.wanted(target(), DRAIN, 50)
        desk.book.wish("db", "one", Wish(weight=5), "the operator")
        book = desk.open_book(now_asked)
        book.open()
        found = desk.standing().read(member(), 1)
        assert (found.verdict, found.up_since, found.state, found.weight) == (Verdict.UNKNOWN, 0, READY, 5)
        assert book.known("db", "one") == Known()
        book.judged(target(), Verdict.DOWN, "why")
        desk.open_book(now_asked).open()
        assert desk.standing().verdict is Verdict.DOWN, "it is forgotten once"

    run_jumping(conversation())


def test_where_the_same_is_asked_at_another_pace_or_of_more_servers_all_is_known() -> None:
    async def conversation() -> None:
        desk = Desk()
        desk.book.open()
        desk.book.judged(target(), Verdict.DOWN, "why")
        slower = replace(CHECKED, interval=60.0, timeout=30.0, fall=9)
        desk.open_book(upstream(servers=(member(weight=7), member(name="two")), check=slower)).open()
        assert desk.standing().verdict is Verdict.DOWN

    run_jumping(conversation())


def test_what_is_known_of_an_address_of_a_name_outlives_control_too() -> None:
    async def conversation() -> None:
        desk = Desk(NAMED)
        desk.book.open()
        seat = "db.test:80#2"
        desk.book.judged(target(seat), Verdict.DOWN, "why")
        desk.open_book(desk.upstream).open()
        assert desk.standing(seat).verdict is Verdict.DOWN

    run_jumping(conversation())


# A place that another server is to have


def test_a_server_is_gone_when_no_worker_has_a_session_with_it() -> None:
    desk = Desk()
    assert desk.book.is_free(desk.upstream, "one")
    other = desk.row.another()
    server = other.server(desk.upstream)
    assert server.take()
    assert not desk.book.is_free(desk.upstream, "one")
    server.give_back()
    assert desk.book.is_free(desk.upstream, "one")


def test_a_server_is_gone_when_no_worker_remembers_that_its_dials_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that did not put it out wait for it as long again."""
    desk = Desk(max_fails=1, fail_timeout=10.0)
    desk.row.server(desk.upstream, now=1000.0).failed(1000.0)
    free = {}
    for now in (1000.0, 1015.0, 1019.9, 1020.1):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        free[now] = desk.book.is_free(desk.upstream, "one")
    assert free == {1000.0: False, 1015.0: False, 1019.9: False, 1020.1: True}


def test_on_a_machine_that_has_just_started_a_place_that_nobody_had_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(fail_timeout=600.0)
    monkeypatch.setattr(time, "monotonic", lambda: 20.0)
    assert desk.book.is_free(desk.upstream, "one")


def test_failed_dials_are_counted_whatever_the_reason_and_whichever_the_worker() -> None:
    desk = Desk(member(), member(name="two"))
    for row in (desk.row, desk.row.another()):
        tally = ServerTally(row.row, row.columns, "db", "one")
        for reason in catalogue.FAILURE_REASONS:
            row.row[tally.failures[reason]] += 1
    assert desk.book.failures("db", "one") == 2 * len(catalogue.FAILURE_REASONS)
    assert desk.book.failures("db", "two") == 0


def test_of_another_server_in_the_same_place_nothing_is_known() -> None:
    async def conversation() -> None:
        desk = Desk(NAMED)
        seat = "db.test:80#1"
        desk.book.judged(target(seat), Verdict.DOWN, "why")
        desk.book.wish("db", seat, Wish(state=DRAIN), "the operator")
        desk.book.forget("db", seat)
        found = desk.standing(seat).read(NAMED, 1)
        assert (found.verdict, found.state) == (Verdict.UNKNOWN, READY)

    run_jumping(conversation())


def test_the_log_may_want_to_hear_less() -> None:
    async def conversation() -> None:
        desk = Desk(level=Level.WARNING)
        desk.book.judged(target(), Verdict.UP, "why")
        desk.book.judged(target(), Verdict.DOWN, "why")
        desk.book.judged(target(), Verdict.UP, "why")
        assert desk.lines == ["warning: server db/one is down: why"]

    run_jumping(conversation())
