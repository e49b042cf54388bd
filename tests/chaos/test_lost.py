"""Which datagrams may be lost, and which not. The flow of these tests sends ten a second, from 0.0 on."""

from dataclasses import replace
from math import inf

from tests.chaos.event import Event
from tests.chaos.facts import Flow
from tests.chaos.lost import judge
from tests.chaos.plan import What
from tests.chaos.trace import Trace

A, B, C = (5001, 200), (5002, 200), (5003, 201)
"""Source ports, and the pids of the servers that saw them."""

WORKER = Event(1.05, What.KILL_WORKER, 100, flows=frozenset({5001}))
SERVER = Event(1.05, What.KILL_SERVER, 200, until=3.0)


def flow(*answers: tuple[int, int] | None) -> Flow:
    """One that sent as many datagrams as there are answers; None: it was lost."""
    trace = Trace(7)
    for number, answer in enumerate(answers):
        assert trace.send(number / 10) == number
        if answer:
            trace.hear(number, *answer, now=number / 10 + 0.02)
    return trace.report()


def explained(flow: Flow, *events: Event) -> list[str]:
    """What is explained, when all is."""
    judged = judge(flow, events)
    assert not judged.differences
    return [what for _, what in judged.explained]


def differences(flow: Flow, *events: Event) -> list[str]:
    return [f"{number} {what}" for number, what in judge(flow, events).differences]


def test_a_flow_that_lost_nothing_needs_no_explanation() -> None:
    assert explained(flow(*[A] * 20)) == []


def test_a_lost_datagram_without_any_event_is_found() -> None:
    assert differences(flow(A, A, None, A)) == [
        "2 it was lost, though later ones came back by the same source port 5001"
    ]


def test_a_lost_datagram_in_the_middle_is_found_though_a_worker_was_killed_later() -> None:
    assert len(differences(flow(*[A] * 5, None, *[A] * 5, *[B] * 5), WORKER)) == 1


def test_a_datagram_may_be_lost_with_a_worker_that_held_it_and_dies_just_then() -> None:
    death = Event(0.5, What.KILL_WORKER)
    assert explained(flow(A, A, None, A), death) == ["datagrams"]  # sent after 0.2 s
    assert differences(flow(A, A, None, A), Event(0.05, What.KILL_WORKER))
    assert differences(flow(A, A, None, A), Event(0.8, What.KILL_WORKER))


def test_it_may_have_held_it_for_longer_if_a_process_stood_still() -> None:
    stop = Event(0.1, What.STOP_WORKER, until=0.7)
    assert explained(flow(A, A, None, A), stop, Event(0.9, What.KILL_WORKER)) == ["datagrams"]


def test_a_changed_source_port_without_any_event_is_found() -> None:
    assert differences(flow(A, A, B)) == ["2 the source port at the server went from 5001 to 5002"]


def test_another_server_without_any_event_is_found() -> None:
    [found] = differences(flow(A, A, C))
    assert "the server from pid 200 to 201" in found


def test_a_killed_worker_explains_another_source_port_and_what_was_on_its_way() -> None:
    assert explained(flow(*[A] * 11, *[B] * 5), WORKER) == ["flows"]
    assert explained(flow(*[A] * 9, None, None, *[B] * 5), WORKER) == ["flows", "datagrams", "datagrams"]
    assert explained(flow(*[A] * 9, None, None, *[C] * 5), WORKER) == ["flows", "datagrams", "datagrams"]


def test_a_datagram_that_was_sent_after_the_worker_was_killed_must_not_be_lost() -> None:
    lost = [A] * 11 + [None] * 2 + [B] * 5
    assert differences(flow(*lost), WORKER) == ["12 it was sent 0.15 s after a death, and lost"]


def test_another_workers_death_explains_nothing() -> None:
    other = replace(WORKER, flows=frozenset({5009}))
    assert len(differences(flow(*[A] * 9, None, None, *[B] * 5), other)) == 3


def test_a_death_before_the_last_answer_by_a_port_does_not_explain_that_the_port_changed() -> None:
    assert len(differences(flow(*[A] * 15, *[B] * 5), WORKER)) == 1


def test_a_death_after_the_first_answer_by_the_next_port_explains_nothing_either() -> None:
    assert len(differences(flow(*[A] * 5, *[B] * 15), WORKER)) == 1


def test_two_workers_may_die_one_after_the_other() -> None:
    second = Event(1.25, What.KILL_WORKER, 101, flows=frozenset({5555}))
    both = WORKER, second
    assert explained(flow(*[A] * 11, None, None, *[B] * 5), *both) == ["flows", "datagrams", "datagrams"]
    assert len(differences(flow(*[A] * 11, None, None, None, None, *[B] * 5), *both)) == 1


def test_a_dead_server_explains_the_datagrams_until_it_is_found_out() -> None:
    assert explained(flow(*[A] * 10, None, None, *[C] * 9), SERVER) == ["flows", "datagrams", "datagrams"]


def test_but_not_those_that_come_long_after() -> None:
    found = differences(flow(*[A] * 11, *[None] * 8, *[C] * 9), SERVER)
    assert [each.split()[0] for each in found] == ["17", "18"]


def test_it_may_be_found_out_later_when_a_process_stood_still_meanwhile() -> None:
    stop = Event(1.0, What.STOP_WORKER, 100, until=1.5)
    assert len(explained(flow(*[A] * 11, *[None] * 8, *[C] * 9), SERVER, stop)) == 9
    assert differences(flow(*[A] * 11, *[None] * 8, *[C] * 9), SERVER, replace(stop, at=0.1, until=0.9))
    assert not differences(flow(*[A] * 11, *[None] * 8, *[C] * 9), SERVER, replace(stop, until=inf))


def test_another_servers_death_explains_nothing() -> None:
    assert len(differences(flow(*[A] * 10, None, *[C] * 9), replace(SERVER, pid=201))) == 2


def test_a_flow_may_keep_its_source_port_when_its_server_dies_and_comes_back() -> None:
    assert explained(flow(*[A] * 10, None, *[(5001, 300)] * 9), SERVER) == ["flows", "datagrams"]


def test_a_flow_of_a_killed_worker_may_meet_a_server_that_is_away() -> None:
    away = replace(SERVER, at=0.5, until=3.0, pid=201)
    assert len(explained(flow(*[A] * 10, None, None, *[B] * 5), WORKER, away)) == 3
    assert len(differences(flow(*[A] * 10, None, None, None, *[B] * 5), WORKER, replace(away, until=1.0))) == 1


def test_the_last_datagrams_may_be_lost_to_a_death_alone() -> None:
    assert explained(flow(*[A] * 10, None), WORKER) == ["flows", "datagrams"]
    assert differences(flow(*[A] * 10, None)) == ["10 it was lost"]


def test_the_first_datagrams_may_not_be_lost() -> None:
    assert differences(flow(None, A), WORKER, SERVER) == ["0 it was lost before any answer"]
    assert len(differences(flow(None, None), WORKER, SERVER)) == 2


def test_other_events_explain_neither_a_loss_nor_another_port() -> None:
    for what in set(What) - {What.KILL_WORKER, What.KILL_SERVER}:
        harmless = replace(WORKER, what=what, pid=200)
        assert len(differences(flow(*[A] * 10, None, *[B] * 5), harmless)) == 2


def test_a_doubled_and_a_late_answer_are_found_whoever_dies() -> None:
    trace = Trace(7)
    for number in range(3):
        trace.send(number / 10)
    for number in (0, 2, 1, 1):
        trace.hear(number, *A, now=1.0)
    assert differences(trace.report(), WORKER, SERVER) == [
        "1 it was answered twice",
        "1 it was answered after a later one",
    ]
