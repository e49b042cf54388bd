"""Who may have ended a session, and who not."""

from dataclasses import replace

import pytest

from tests.chaos.broken import YOUNG, Deaths
from tests.chaos.event import Event
from tests.chaos.facts import Broken
from tests.chaos.plan import What

WORKER = Event(10.0, What.KILL_WORKER, 100, sessions=frozenset({(7000, 50001)}), pids=frozenset({4242}))
SERVER = Event(10.0, What.KILL_SERVER, 200, until=12.0, listener=7000, connections=2, gone=10.05)
BROKEN = Broken("long", 1, 7000, begun=5.0, ended=10.1, how="reset", port=50001, server=200)
ELSEWHERE = replace(BROKEN, port=50002, server=201)
"""A session of another worker and another server."""


def cause(session: Broken, *events: Event) -> Event | None:
    [(_, found)] = Deaths(events).explain([session])
    return found


def test_a_session_of_a_killed_worker_is_explained() -> None:
    assert cause(BROKEN, WORKER) is WORKER
    assert cause(replace(BROKEN, how="closed"), WORKER) is WORKER


def test_a_session_of_a_worker_that_lives_is_not() -> None:
    assert cause(ELSEWHERE, WORKER) is None
    assert cause(replace(BROKEN, listener=7001), WORKER) is None


def test_nothing_at_all_explains_nothing() -> None:
    assert cause(BROKEN) is None


@pytest.mark.parametrize("what", [what for what in What if what not in {What.KILL_WORKER, What.KILL_SERVER}])
def test_no_other_event_explains_anything(what: What) -> None:
    assert cause(BROKEN, replace(WORKER, what=what), replace(SERVER, what=what)) is None


def test_a_session_that_was_over_before_a_death_or_began_after_it_is_not_explained_by_it() -> None:
    assert cause(replace(BROKEN, ended=9.9), WORKER, SERVER) is None
    assert cause(replace(BROKEN, begun=10.01), WORKER) is None
    assert cause(replace(BROKEN, begun=10.01, server=0), WORKER) is None


@pytest.mark.parametrize("how", ["refused", "wrong", "silent for 15 s", "EADDRNOTAVAIL"])
def test_nobodys_death_refuses_falsifies_or_silences(how: str) -> None:
    assert cause(replace(BROKEN, how=how), WORKER, SERVER) is None


def test_a_client_that_is_a_process_is_known_by_its_pid() -> None:
    pgbench = Broken("pgbench", 1, 7003, begun=5.0, ended=10.1, how="aborted: connection lost", pid=4242)
    assert cause(pgbench, WORKER) is WORKER
    assert cause(replace(pgbench, pid=4243), WORKER) is None
    assert cause(replace(pgbench, how="silent for 15 s"), WORKER) is None


def test_a_session_of_a_killed_server_is_explained() -> None:
    assert cause(BROKEN, SERVER) is SERVER


def test_a_session_of_a_server_that_lives_is_not() -> None:
    assert cause(ELSEWHERE, SERVER) is None


def test_a_session_that_was_not_greeted_may_have_been_the_dead_servers() -> None:
    assert cause(replace(BROKEN, server=0), SERVER) is SERVER


def test_but_not_if_it_came_to_another_listener() -> None:
    assert cause(replace(BROKEN, server=0, listener=7001), SERVER) is None


def test_a_server_had_no_more_sessions_than_it_had_connections() -> None:
    ungreeted = [replace(BROKEN, number=number, port=number, server=0) for number in (1, 2, 3)]
    assert [event for _, event in Deaths([SERVER]).explain(ungreeted)] == [SERVER, SERVER, None]


def test_those_who_were_greeted_leave_the_others_less_room() -> None:
    sessions = [replace(BROKEN, number=1, server=0), replace(BROKEN, number=2, server=0), replace(BROKEN, number=3)]
    explained = {session.number: event for session, event in Deaths([SERVER]).explain(sessions)}
    assert explained == {3: SERVER, 1: SERVER, 2: None}


def test_a_server_may_be_given_sessions_while_it_dies() -> None:
    young = replace(BROKEN, server=0, begun=SERVER.at - YOUNG / 2)
    dying = replace(young, begun=SERVER.gone)
    sessions = [replace(young, number=number) for number in range(5)] + [dying]
    assert all(event is SERVER for _, event in Deaths([SERVER]).explain(sessions))


def test_what_waits_in_a_worker_that_stood_still_may_be_given_to_a_server_while_it_dies() -> None:
    waiting = [replace(BROKEN, number=number, server=0, begun=SERVER.at - 2.5) for number in range(5)]
    stop = Event(SERVER.at - 2.9, What.STOP_WORKER, 100, until=SERVER.at + 0.01)
    assert [event for _, event in Deaths([SERVER, stop]).explain(waiting)] == [SERVER] * 5
    long_over = replace(stop, until=SERVER.at - 2.0)
    assert [event for _, event in Deaths([SERVER, long_over]).explain(waiting)] == [SERVER] * 2 + [None] * 3


def test_a_session_that_came_once_the_server_was_gone_must_not_break() -> None:
    assert cause(replace(BROKEN, server=0, begun=SERVER.gone + 0.001, ended=11.0), SERVER) is None
