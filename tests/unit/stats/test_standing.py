"""What control says of a server: checks, the operator's wishes, its agent."""

from dataclasses import replace

import pytest

from l4d.address import Host, Inet
from l4d.stats import catalogue
from l4d.stats.standing import LEAST_PERCENT, Situation, Standing, Verdict, subject_of
from l4d.terms import Role, ServerState
from tests.unit.making import CHECKED, Row, member, upstream

FILE = member(weight=4, max_sessions=10)
READY, DRAIN, MAINT = ServerState.READY, ServerState.DRAIN, ServerState.MAINT


@pytest.fixture
def row() -> Row:
    return Row()


@pytest.fixture
def standing(row: Row) -> Standing:
    return of(row)


def of(row: Row, server: str = "one") -> Standing:
    return Standing(row.said, row.columns, "db", server)


def test_of_a_server_nobody_has_spoken_of_the_file_says_all(standing: Standing) -> None:
    assert standing.read(FILE, 4) == Situation(Verdict.UNKNOWN, 0.0, READY, 4, 10)


def test_workers_read_what_control_writes(row: Row) -> None:
    of(row).judge(Verdict.DOWN, 5)
    assert of(row).read(FILE, 4).verdict is Verdict.DOWN
    assert of(row, "two").read(FILE, 4).verdict is Verdict.UNKNOWN


# Checks


def test_a_server_that_was_up_from_the_beginning_never_came_back(standing: Standing) -> None:
    standing.judge(Verdict.UP, 5)
    assert standing.read(FILE, 4).up_since == 0
    assert standing.verdict is Verdict.UP


def test_a_server_comes_back_when_it_is_up_after_it_was_down(standing: Standing) -> None:
    told = []
    for now, verdict in ((5.0, Verdict.DOWN), (7.25, Verdict.UP), (8.0, Verdict.UP), (9.0, Verdict.DOWN)):
        standing.judge(verdict, now)
        told.append(standing.read(FILE, 4).up_since)
    assert told == [0, 7.25, 7.25, 7.25]
    standing.judge(Verdict.UP, 11)
    assert standing.read(FILE, 4).up_since == 11


def test_it_is_known_when_the_verdict_changed_last(standing: Standing) -> None:
    told = [standing.judged_at]
    for now, verdict in ((5.0, Verdict.UP), (6.0, Verdict.UP), (7.25, Verdict.DOWN), (8.0, Verdict.DOWN)):
        standing.judge(verdict, now)
        told.append(standing.judged_at)
    assert told == [0, 5, 5, 7.25, 7.25]
    standing.clear()
    assert standing.judged_at == 0


@pytest.mark.parametrize("result", catalogue.CHECK_RESULTS)
def test_checks_are_counted_by_their_result(row: Row, standing: Standing, result: str) -> None:
    standing.count(result)
    standing.count(result)
    counted = {labels[2]: row.said[column] for labels, column in row.columns.each(catalogue.SERVER_CHECKS)}
    assert counted == {each: 2 if each == result else 0 for each in catalogue.CHECK_RESULTS}


# Wishes


def test_a_wish_holds_whatever_the_file_says(standing: Standing) -> None:
    standing.wish_state(MAINT, FILE)
    standing.wish_weight(65535, FILE)
    standing.wish_sessions(0, FILE)
    assert standing.read(FILE, 4) == Situation(Verdict.UNKNOWN, 0.0, MAINT, 65535, 0)


def test_a_wish_that_is_taken_back_leaves_the_file(standing: Standing) -> None:
    standing.wish_state(MAINT, FILE)
    standing.wish_weight(9, FILE)
    standing.wish_sessions(5, FILE)
    standing.wish_state(None, FILE)
    standing.wish_weight(None, FILE)
    standing.wish_sessions(None, FILE)
    assert standing.read(FILE, 4) == Situation(Verdict.UNKNOWN, 0.0, READY, 4, 10)


def test_one_may_wish_what_the_file_says(standing: Standing) -> None:
    """It holds then against what is wished of the whole name."""
    standing.wish_state(READY, FILE)
    whole = of(Row(), "other")
    whole.wish_state(DRAIN, FILE)
    assert standing.read(FILE, 4, whole).state is READY


@pytest.mark.parametrize(
    ("file", "state", "weight", "sessions"),
    [
        (member(weight=4, max_sessions=10), MAINT, 9, 5),
        (member(weight=5, max_sessions=10), MAINT, 5, 5),
        (member(weight=4, max_sessions=11), MAINT, 9, 11),
        (member(weight=4, max_sessions=10, state=DRAIN), DRAIN, 9, 5),
        (member(weight=4, max_sessions=10, name="new", backup=True), MAINT, 9, 5),
    ],
)
def test_a_wish_outlives_a_reload_until_the_file_says_something_else_of_the_same(
    standing: Standing, file: object, state: ServerState, weight: int, sessions: int
) -> None:
    standing.wish_state(MAINT, FILE)
    standing.wish_weight(9, FILE)
    standing.wish_sessions(5, FILE)
    assert isinstance(file, type(FILE))
    found = standing.read(file, file.weight)
    assert (found.state, found.weight, found.max_sessions) == (state, weight, sessions)


def test_a_wish_that_no_longer_holds_is_forgotten_so_that_it_never_holds_again(standing: Standing) -> None:
    standing.wish_weight(9, FILE)
    standing.wish_sessions(5, FILE)
    standing.forget_stale(member(weight=5, max_sessions=10))
    found = standing.read(FILE, 4)
    assert (found.weight, found.max_sessions) == (4, 5)


def test_what_still_holds_is_not_forgotten(standing: Standing) -> None:
    standing.wish_state(DRAIN, FILE)
    standing.wish_weight(9, FILE)
    standing.forget_stale(FILE)
    assert standing.read(FILE, 4) == Situation(Verdict.UNKNOWN, 0.0, DRAIN, 9, 10)


# A name with several addresses


def test_what_is_wished_of_a_name_holds_where_nothing_is_wished_of_the_address(row: Row) -> None:
    one, whole = of(row, "name#1"), of(row, "name")
    whole.wish_state(DRAIN, FILE)
    whole.wish_weight(9, FILE)
    whole.wish_sessions(5, FILE)
    one.wish_weight(2, FILE)
    assert one.read(FILE, 4, whole) == Situation(Verdict.UNKNOWN, 0.0, DRAIN, 2, 5)


def test_without_a_wish_an_address_has_the_weight_of_its_record(row: Row) -> None:
    one, whole = of(row, "name#1"), of(row, "name")
    assert one.read(FILE, 70, whole).weight == 70
    whole.wish_weight(9, FILE)
    assert one.read(FILE, 70, whole).weight == 9


# The agent


def test_an_agent_may_want_nothing(standing: Standing) -> None:
    standing.want(None, None)
    assert standing.read(FILE, 4) == Situation(Verdict.UNKNOWN, 0.0, READY, 4, 10)


@pytest.mark.parametrize(("percent", "weight"), [(100, 4), (50, 2), (10, 0.4), (1, 0.04), (200, 8)])
def test_an_agent_may_want_a_part_of_the_weight_however_small_the_weight_is(
    standing: Standing, percent: int, weight: float
) -> None:
    standing.want(None, percent)
    assert standing.read(FILE, 4).weight == pytest.approx(weight)
    assert standing.read(FILE, 1).weight == pytest.approx(weight / 4)


def test_a_weight_is_never_0(standing: Standing) -> None:
    standing.want(None, 0)
    assert standing.read(FILE, 4).weight == pytest.approx(4 * LEAST_PERCENT / 100)


def test_the_percentage_is_of_what_the_operator_wishes(standing: Standing) -> None:
    standing.wish_weight(10, FILE)
    standing.want(None, 50)
    assert standing.read(FILE, 4).weight == 5


@pytest.mark.parametrize("wanted", ServerState)
def test_an_agent_may_take_its_server_away_and_bring_it_back(standing: Standing, wanted: ServerState) -> None:
    standing.want(wanted, 100)
    assert standing.read(FILE, 4).state is wanted
    standing.want(None, 100)
    assert standing.read(FILE, 4).state is READY


@pytest.mark.parametrize("wanted", ServerState)
@pytest.mark.parametrize("state", [DRAIN, MAINT])
def test_an_agent_cannot_bring_back_what_the_operator_or_the_file_has_taken_away(
    standing: Standing, state: ServerState, wanted: ServerState
) -> None:
    standing.want(wanted, None)
    assert standing.read(member(state=state), 1).state is state
    standing.wish_state(state, FILE)
    assert standing.read(FILE, 4).state is state


def test_what_an_agent_wants_is_read_back_as_it_was_said(standing: Standing) -> None:
    for said in ((None, None), (DRAIN, None), (None, 0), (READY, 100), (MAINT, 1)):
        standing.want(*said)
        assert standing.wanted == said


def test_with_another_subject_all_that_was_said_of_the_last_one_is_gone_but_wishes(standing: Standing) -> None:
    standing.begin(7)
    assert standing.is_of(7)
    assert not standing.is_of(8)
    standing.judge(Verdict.DOWN, 10)
    standing.judge(Verdict.UP, 20)
    standing.want(DRAIN, 50)
    standing.wish_weight(3, member())
    standing.begin(8)
    assert standing.is_of(8)
    assert standing.wanted == (None, None)
    found = standing.read(member(), 1)
    assert (found.verdict, found.up_since, found.state, found.weight) == (Verdict.UNKNOWN, 0, READY, 3)


def test_where_another_server_comes_in_nothing_is_left(row: Row, standing: Standing) -> None:
    standing.judge(Verdict.DOWN, 5)
    standing.judge(Verdict.UP, 6)
    standing.wish_state(MAINT, FILE)
    standing.wish_weight(9, FILE)
    standing.wish_sessions(5, FILE)
    standing.want(DRAIN, 20)
    standing.count("good")
    standing.clear()
    assert standing.read(FILE, 4) == Situation(Verdict.UNKNOWN, 0.0, READY, 4, 10)
    assert row.said[row.columns.of(catalogue.SERVER_CHECKS, "db", "one", "good")] == 1  # a counter never goes back


def test_one_who_is_asked_as_before_keeps_what_is_known(standing: Standing) -> None:
    standing.begin(7)
    standing.judge(Verdict.DOWN, 1.0)
    standing.begin(7)
    assert standing.verdict is Verdict.DOWN


# As others see it


def test_the_wishes_in_force_are_those_for_the_server_else_those_for_its_whole_name(row: Row) -> None:
    one, whole = of(row), of(row, "name")
    assert one.wishes(FILE) == one.wishes(FILE, whole) == (None, None, None)
    whole.wish_state(DRAIN, FILE)
    whole.wish_weight(7, FILE)
    one.wish_state(MAINT, FILE)
    one.wish_sessions(3, FILE)
    assert one.wishes(FILE, whole) == (MAINT, 7, 3)
    assert one.wishes(FILE) == (MAINT, None, 3)
    assert one.wishes(member(weight=4, max_sessions=11)) == (MAINT, None, None), "the file says something else now"


def test_a_verdict_is_of_an_address_that_is_asked_in_some_way() -> None:
    one, two, named = member(), member(address=Inet("10.0.0.2", 5432)), member(address=Host("db.example", 80))
    tcp, primary = upstream(), upstream(check=replace(CHECKED, role=Role.PRIMARY))
    subjects = [subject_of(how, whom) for how in (tcp, primary) for whom in (one, two, named)]
    assert len(set(subjects)) == 6
    assert 0 not in subjects
    assert subject_of(tcp, named) == subject_of(tcp, member(address=Host("other.example", 80))), (
        "a seat tells them apart"
    )


def test_when_a_verdict_became_what_it_is_is_known_until_another_is_asked(standing: Standing) -> None:
    assert standing.judged_at == 0
    for now in (5.0, 7.5):
        standing.judge(Verdict.DOWN, now)
    first = standing.judged_at
    standing.judge(Verdict.UP, 9.0)
    assert standing.judged_at == 9.0
    assert first == 5.0, "it was the same afterwards"
    standing.begin(99)
    assert standing.judged_at == 0
