"""The phases of a session walked at random: the table is the law, and every walk it allows leaves the counts right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.session.session import AFTER, Phase, Session
from l4d.stats import catalogue
from l4d.terms import End
from tests.unit.making import UNHURRIED, Clock, Row

phases = st.lists(st.sampled_from(Phase), max_size=30)
ends = st.sampled_from(End)

LAST = frozenset({Phase.OVER, Phase.MOVED})
"""Behind these there is nothing: a session is over, or goes on in another worker."""


def new_session(row: Row) -> Session:
    return Session(row.service(Clock().as_loop(), row.place()), ("10.9.9.9", 1), 5432, 2)


@UNHURRIED
@given(phases)
def test_what_the_table_allows_works_and_anything_else_is_an_assertion(walk: list[Phase]) -> None:
    session = new_session(Row())
    for phase in walk:
        before = session.phase
        if phase in AFTER[before]:
            session.enter(phase)
            assert session.phase is phase
        else:
            with pytest.raises(AssertionError, match="cannot follow"):
                session.enter(phase)
            assert session.phase is before


@UNHURRIED
@given(st.data(), st.integers(0, 20))
def test_from_wherever_a_walk_has_led_a_session_can_be_over_and_stays_so(data: st.DataObject, steps: int) -> None:
    session = new_session(Row())
    for _ in range(steps):
        going_on = AFTER[session.phase] - LAST
        session.enter(data.draw(st.sampled_from(sorted(going_on, key=lambda phase: phase.value))))
    last = data.draw(st.sampled_from(sorted(AFTER[session.phase] & LAST, key=lambda phase: phase.value)))
    session.enter(last)
    for phase in Phase:
        with pytest.raises(AssertionError):
            session.enter(phase)


def test_every_phase_is_reached_and_reaches_the_end() -> None:
    def reached_from(phase: Phase) -> set[Phase]:
        reached, walking = set[Phase](), {phase}
        while walking:
            reached |= walking
            walking = {after for each in walking for after in AFTER[each]} - reached
        return reached

    assert all(reached_from(phase) == set(Phase) for phase in (Phase.QUEUE, Phase.DIAL, Phase.RELAY))
    assert all(Phase.OVER in reached_from(phase) for phase in set(Phase) - LAST)
    assert all(not AFTER[phase] for phase in LAST)
    assert [phase for phase in Phase if Phase.MOVED in AFTER[phase]] == [Phase.QUEUE, Phase.RELAY]


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), ends), max_size=15))
def test_however_often_servers_close_early_nothing_is_left_of_a_session_but_its_counts(
    lives: list[tuple[int, bool, End]],
) -> None:
    """Each session is served some times and left early; the last server may keep it to the end."""
    row = Row()
    names = [f"{number}" for number in range(5)]
    service = row.service(Clock().as_loop(), *(row.place(name=name) for name in names))
    served = 0
    for early_closes, kept, end in lives:
        session = Session(service, ("10.9.9.9", 1), 5432, 2)
        for _ in range(early_closes):
            row.served(session)
            session.no_longer_served()
        if kept:
            row.served(session)
        served += early_closes + kept
        assert service.capacity.sessions == 1
        session.over(end)

    def counted(metric: catalogue.Metric) -> int:
        return sum(row.row[column] for _, column in row.columns.each(metric))

    assert service.capacity.sessions == 0
    assert counted(catalogue.SESSIONS) == counted(catalogue.SERVER_SESSIONS) == 0
    assert counted(catalogue.SESSIONS_TOTAL) == counted(catalogue.SESSION_ENDS) == len(lives)
    assert counted(catalogue.SERVER_SESSIONS_TOTAL) == served


@UNHURRIED
@given(st.lists(st.integers(0, 3), max_size=12), ends)
def test_through_however_many_workers_a_session_goes_it_is_one(path: list[int], end: End) -> None:
    """Each number is a worker that it moves to next, itself included."""
    rows = [Row()]
    rows += [rows[0].another() for _ in range(3)]
    services = [row.service(Clock().as_loop(), row.place()) for row in rows]
    session = Session(services[0], ("10.9.9.9", 1), 5432, 2)
    rows[0].served(session)

    def total(metric: catalogue.Metric) -> int:
        return sum(rows[0].board.total(column) for _, column in rows[0].columns.each(metric))

    for number in path:
        before, there = session, services[number]
        before.move()
        session = Session(there, before.client, before.port, 2, moved=True)
        there.pool.refresh(1000.0)
        session.resume(there.pool.servers[0])
        before.service.capacity.give_back(2)
        assert total(catalogue.SESSIONS) == total(catalogue.SERVER_SESSIONS) == 1
        assert [service.capacity.sessions for service in services] == [int(one is there) for one in services]
    session.over(end)
    assert total(catalogue.SESSIONS) == total(catalogue.SERVER_SESSIONS) == 0
    assert total(catalogue.SESSIONS_TOTAL) == total(catalogue.SESSION_ENDS) == 1
    assert total(catalogue.SERVER_SESSIONS_TOTAL) == 1
