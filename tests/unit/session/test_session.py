"""The facts of one session, and the one way out of it."""

import pytest

from l4d.session.session import AFTER, Phase, Session
from l4d.stats import catalogue
from l4d.stats.catalogue import Kind
from l4d.stats.numbers import Numbers
from l4d.terms import End, Level
from tests.unit.making import Clock, Lines, Row

CLIENT = ("203.0.113.9", 51812)


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def row() -> Row:
    return Row()


def counted(row: Row) -> dict[str, int]:
    """Every number of the row that is not zero, by metric and labels; histograms have a test of their own."""
    every = (*catalogue.LISTENER_METRICS, *catalogue.SERVER_METRICS, *catalogue.UPSTREAM_METRICS)
    return {
        " ".join((metric.name, *labels)): number
        for metric in every
        if metric.kind is not Kind.HISTOGRAM
        for labels, column in row.columns.each(metric)
        if (number := row.row[column])
    }


def test_every_phase_has_a_place_in_the_table() -> None:
    assert set(AFTER) == set(Phase)
    assert not AFTER[Phase.OVER]
    assert not AFTER[Phase.MOVED]


def test_a_session_begins_by_dialling_and_is_counted(clock: Clock, row: Row) -> None:
    service = row.service(clock.as_loop())
    session = Session(service, CLIENT, 5432, 2)
    assert session.phase is Phase.DIAL
    assert (session.started, session.server, session.tried) == (1000.0, None, ())
    assert service.capacity.sessions == 1
    assert counted(row) == {"sessions_total web": 1, "sessions web": 1}


def test_a_session_that_was_served_leaves_nothing_but_counts(clock: Clock, row: Row) -> None:
    service = row.service(clock.as_loop(), row.place())
    session = Session(service, CLIENT, 5432, 2)
    clock.now += 0.001
    server = row.served(session)
    assert session.server is server
    assert session.connected == 1000.001
    assert counted(row)["server_sessions db one"] == 1
    session.over(End.FINISHED)
    assert service.capacity.sessions == 0
    assert service.capacity.has_room(200)
    assert counted(row) == {
        "sessions_total web": 1,
        "session_ends_total web --": 1,
        "server_sessions_total db one": 1,
    }


def test_a_server_counts_a_session_from_the_moment_it_is_chosen(clock: Clock, row: Row) -> None:
    session = Session(row.service(clock.as_loop(), row.place()), CLIENT, 5432, 2)
    server = session.choose()
    assert server is not None
    assert session.server is None
    assert session.tried == (server,)
    assert counted(row)["server_sessions db one"] == 1
    assert "server_sessions_total db one" not in counted(row)  # it has not answered yet


def test_a_server_is_chosen_once_for_a_session_and_one_to_avoid_not_at_all(clock: Clock, row: Row) -> None:
    service = row.service(clock.as_loop(), *(row.place(name=name) for name in ("one", "two", "three")))
    session = Session(service, CLIENT, 5432, 2)
    service.pool.refresh(clock.now)
    one, two, three = service.pool.servers
    assert session.choose((one, two)) is three
    assert session.choose((one,)) is two
    assert session.choose((one,)) is None
    assert session.choose() is one
    assert session.choose() is None
    assert session.tried == (three, two, one)


def test_how_long_a_session_lived_is_counted_at_its_end(clock: Clock, row: Row) -> None:
    service = row.service(clock.as_loop())
    for seconds in (0.002, 70.0):
        session = Session(service, CLIENT, 5432, 2)
        clock.now += seconds
        session.over(End.NO_SERVER_UP)
    found = Numbers(row.board, row.columns).distribution(catalogue.SESSION_DURATION, "web")
    assert (found.count, found.total, found.over(60)) == (2, 70.002, 1)


def test_a_session_that_nobody_served_is_counted_at_no_server(clock: Clock, row: Row) -> None:
    server = row.server()
    session = Session(row.service(clock.as_loop(), row.place()), CLIENT, 5432, 2)
    session.tried = (server,)
    session.over(End.NO_SERVER_ACCEPTED)
    assert counted(row) == {"sessions_total web": 1, "session_ends_total web SC": 1}


def test_after_an_early_close_the_session_is_the_next_servers(clock: Clock, row: Row) -> None:
    service = row.service(clock.as_loop(), row.place(name="one"), row.place(name="two"))
    session = Session(service, CLIENT, 5432, 2)
    row.served(session)
    session.no_longer_served()
    assert session.phase is Phase.DIAL
    assert session.server is None
    assert "server_sessions db one" not in counted(row)
    row.served(session)
    session.over(End.FINISHED)
    assert counted(row) == {
        "sessions_total web": 1,
        "session_ends_total web --": 1,
        "server_sessions_total db one": 1,
        "server_sessions_total db two": 1,
    }


def test_a_session_is_over_once(clock: Clock, row: Row) -> None:
    session = Session(row.service(clock.as_loop()), CLIENT, 5432, 2)
    session.over(End.STOPPED)
    before = counted(row)
    with pytest.raises(AssertionError, match="cannot follow"):
        session.over(End.STOPPED)
    assert counted(row) == before


def test_a_session_that_nobody_serves_cannot_lose_its_server(clock: Clock, row: Row) -> None:
    session = Session(row.service(clock.as_loop()), CLIENT, 5432, 2)
    with pytest.raises(AssertionError):
        session.no_longer_served()


def test_the_end_of_a_session_is_one_line(clock: Clock, row: Row) -> None:
    sink = Lines()
    service = row.service(clock.as_loop(), row.place(name="one"), row.place(name="two"), sink=sink)
    session = Session(service, CLIENT, 5432, 2)
    session.choose()
    clock.now += 0.001
    row.served(session)
    session.bytes_up, session.bytes_down = 1204, 88213
    clock.now = 1005.31
    session.over(End.SERVER_RESET)
    line = (
        "session web tcp 203.0.113.9:51812 -> db/two 10.0.0.1:5432 up=1204 down=88213 "
        "connect=1ms total=5310ms tries=2 end=SD server reset"
    )
    assert sink.taken == [(Level.DEBUG, line)]


def test_where_nobody_asked_for_the_line_it_is_not_written(clock: Clock, row: Row) -> None:
    sink = Lines()
    Session(row.service(clock.as_loop(), sink=sink, level=Level.INFO), CLIENT, 5432, 2).over(End.STOPPED)
    assert not sink.taken


def test_the_server_of_a_session_is_the_one_that_serves_or_else_the_last_that_was_to(clock: Clock, row: Row) -> None:
    places = row.place(name="one"), row.place(name="two")
    session = Session(row.service(clock.as_loop(), *places), CLIENT, 5432, 2)
    assert session.dialled is None
    first, second = session.choose(), session.choose()
    assert session.dialled is second
    assert first is not None
    session.served_by(first)
    assert session.dialled is first


def test_whoever_waits_for_room_is_told_when_the_session_is_over(clock: Clock, row: Row) -> None:
    told: list[str] = []
    service = row.service(clock.as_loop(), max_sessions=1)
    session = Session(service, CLIENT, 5432, 2)
    service.capacity.when_room(lambda: told.append(session.phase.value))
    session.over(End.FINISHED)
    assert told == ["over"]


# From one worker to another


def total(row: Row, metric: catalogue.Metric, *labels: str) -> int:
    """Over all workers."""
    return row.board.total(row.columns.of(metric, *labels))


def totals(row: Row) -> list[int]:
    """Of sessions, then of sessions of the server: those that live and all there ever were."""
    return [
        total(row, catalogue.SESSIONS, "web"),
        total(row, catalogue.SESSIONS_TOTAL, "web"),
        total(row, catalogue.SERVER_SESSIONS, "db", "one"),
        total(row, catalogue.SERVER_SESSIONS_TOTAL, "db", "one"),
    ]


def test_a_session_that_moves_is_counted_once_in_all(clock: Clock, row: Row) -> None:
    there = row.another()
    session = Session(row.service(clock.as_loop(), row.place()), CLIENT, 5432, 2)
    row.served(session)
    before = totals(row)
    session.move()
    assert session.phase is Phase.MOVED
    moved = Session(there.service(clock.as_loop(), there.place()), CLIENT, 5432, 2, moved=True)
    moved.resume(there.server())
    assert totals(row) == before == [1, 1, 1, 1]
    assert counted(row) == {"sessions_total web": 1, "server_sessions_total db one": 1}
    assert moved.phase is Phase.RELAY
    moved.over(End.FINISHED)
    assert totals(row) == [0, 1, 0, 1]
    assert counted(there) == {"session_ends_total web --": 1}


def test_a_session_without_a_server_moves_too(clock: Clock, row: Row) -> None:
    session = Session(row.service(clock.as_loop()), CLIENT, 5432, 2)
    session.enter(Phase.QUEUE)
    session.move()
    assert counted(row) == {"sessions_total web": 1}


def test_the_descriptors_of_one_that_moves_are_held_until_it_is_taken(clock: Clock, row: Row) -> None:
    service = row.service(clock.as_loop(), row.place())
    session = Session(service, CLIENT, 5432, 2)
    row.served(session)
    before = service.capacity.room
    session.move()
    assert (service.capacity.sessions, service.capacity.room) == (1, before)


def test_one_that_comes_takes_its_room_here(clock: Clock, row: Row) -> None:
    service = row.service(clock.as_loop())
    before = service.capacity.room
    Session(service, CLIENT, 5432, 2, moved=True)
    assert (service.capacity.sessions, before - service.capacity.room) == (1, 2)


@pytest.mark.parametrize("phase", [Phase.DIAL, Phase.OVER, Phase.MOVED])
def test_a_dial_does_not_move_nor_does_what_is_over(clock: Clock, row: Row, phase: Phase) -> None:
    session = Session(row.service(clock.as_loop()), CLIENT, 5432, 2)
    session.phase = phase
    with pytest.raises(AssertionError, match="cannot follow"):
        session.move()


def test_one_that_has_moved_ends_nowhere_else(clock: Clock, row: Row) -> None:
    session = Session(row.service(clock.as_loop(), row.place()), CLIENT, 5432, 2)
    row.served(session)
    session.move()
    with pytest.raises(AssertionError, match="cannot follow"):
        session.over(End.STOPPED)
