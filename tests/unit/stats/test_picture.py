"""What the board says of listeners, processes and the whole."""

from dataclasses import replace

import pytest

from l4d.stats import catalogue, picture
from l4d.stats.histogram import Histogram
from l4d.stats.numbers import Numbers
from l4d.stats.process import Presence
from l4d.stats.tally import ListenerTally, reserve
from l4d.terms import End, Protocol, WorkerState
from tests.unit.making import Row, config_of, listener

WEB = listener()
DNS = listener(name="dns", protocol=Protocol.UDP)
CONFIG = replace(config_of(), listeners={"web": WEB, "dns": DNS})


@pytest.fixture
def row() -> Row:
    made = Row()
    reserve(made.columns, CONFIG, slots=2)
    return made


def numbers(row: Row) -> Numbers:
    return Numbers(row.board, row.columns)


def worker(row: Row, slot: int, generation: int = 1, state: WorkerState = WorkerState.SERVING) -> Row:
    """A worker that has a row of its own, and has turned at 99.5."""
    own = row.another()
    presence = Presence(own.row, own.columns, 4000 + own.number, generation, slot, 2)
    presence.become(state)
    presence.beat(99.5)
    return own


def test_a_listener_is_what_all_workers_have_counted_for_it(row: Row) -> None:
    for each in (row, row.another()):
        tally = ListenerTally(each.row, each.columns, "dns")
        tally.begun()
        tally.begun()
        tally.over(End.NO_RESOURCE, 3.0)
        tally.drop("not_sent", 2)
        for number, column in enumerate((tally.bytes_up, tally.bytes_down, tally.datagrams_up, tally.datagrams_down)):
            each.row[column] += number + 1
    [web, dns] = picture.listeners(numbers(row), CONFIG)
    assert (web.listener, web.sessions_total, web.duration.count) == (WEB, 0, 0)
    assert (dns.listener, dns.sessions, dns.sessions_total) == (DNS, 2, 4)
    assert (dns.bytes_up, dns.bytes_down, dns.datagrams_up, dns.datagrams_down) == (2, 4, 6, 8)
    assert {reason: count for reason, count in dns.dropped.items() if count} == {"not_sent": 4}
    assert {reason: count for reason, count in dns.refused.items() if count} == {"no_resource": 2}
    assert {end: count for end, count in dns.ends.items() if count} == {End.NO_RESOURCE: 2}
    assert (dns.duration.count, dns.duration.mean) == (2, 3.0)


def test_each_protocol_has_its_ends_and_one_that_should_not_be_is_not_hidden(row: Row) -> None:
    tcp, udp = (picture.listener(numbers(row), one).ends for one in (WEB, DNS))
    assert End.UDP_IDLE not in tcp
    assert End.UDP_IDLE in udp
    assert End.CLIENT_RESET not in udp
    assert tcp.keys() & udp.keys() >= {End.NO_SERVER_UP, End.LIMIT, End.NO_RESOURCE, End.STOPPED, End.SERVER_DOWN}
    assert tcp.keys() | udp.keys() == set(End)
    row.row[row.columns.of(catalogue.SESSION_ENDS, "dns", "sC")] += 1
    assert picture.listener(numbers(row), DNS).ends[End.CONNECT_TIMEOUT] == 1


def test_the_whole_is_the_sum_and_what_belongs_to_no_listener(row: Row) -> None:
    of, retired = row.columns.of, row.board.row(0)
    for name, times in (("web", 2), ("dns", 3)):
        tally = ListenerTally(row.row, row.columns, name)
        for _ in range(times):
            tally.begun()
            row.row[tally.bytes_up] += 10
            row.row[tally.bytes_down] += 20
            row.row[tally.datagrams_up] += 1
            row.row[tally.datagrams_down] += 2
        tally.over(End.STOPPED, 1.0)
    for metric, *labels in (
        (catalogue.HANDED_OVER, "tcp"),
        (catalogue.RESOLVER_QUERIES, "empty"),
        (catalogue.RELOADS, "success"),
        (catalogue.RESTARTS, "control"),
        (catalogue.LOG_LINES_DROPPED,),
    ):
        retired[of(metric, *labels)] += 7
    retired[of(catalogue.LAST_RELOAD)] = 1500
    found = picture.totals(numbers(row), CONFIG)
    assert (found.sessions, found.sessions_total) == (3, 5)
    assert (found.bytes_up, found.bytes_down, found.datagrams_up, found.datagrams_down) == (50, 100, 5, 10)
    assert {end: count for end, count in found.ends.items() if count} == {End.STOPPED: 2}
    assert set(found.ends) == set(End)
    assert (found.handed_over, found.restarts) == ({"tcp": 7, "udp": 0}, {"worker": 0, "control": 7})
    assert (found.queries["empty"], found.reloads, found.last_reload) == (7, {"success": 7, "failure": 0}, 1.5)
    assert found.log_lines_dropped == 7
    assert found.generation == 0


def test_the_newest_generation_with_a_worker_that_serves_is_the_one_that_serves(row: Row) -> None:
    worker(row, 0, 4, WorkerState.LEAVING)
    worker(row, 0, 5)
    worker(row, 1, 6, WorkerState.FULL)
    worker(row, 1, 7, WorkerState.STARTING)
    Presence(row.said, row.columns, 1, 8)
    assert picture.totals(numbers(row), CONFIG).generation == 6


def test_workers_are_told_by_slot_with_what_each_has_done_itself(row: Row) -> None:
    old, other, new = worker(row, 0, 1, WorkerState.LEAVING), worker(row, 1), worker(row, 0, 2)
    ListenerTally(old.row, old.columns, "web").begun()
    old.row[old.columns.of(catalogue.WORKER_CPU, "0")] = 1500
    turns = Histogram(other.row, other.columns, catalogue.WORKER_LOOP)
    turns.observe(0.07)
    found = picture.workers(numbers(row), 100.0)
    assert [(each.slot, each.generation) for each in found] == [(0, 2), (0, 1), (1, 1)]
    assert [each.pid for each in found] == [4000 + each.number for each in (new, old, other)]
    assert [each.sessions for each in found] == [0, 1, 0]
    assert [each.cpu_seconds for each in found] == [0, 1.5, 0]
    assert [each.turns.over(catalogue.SLOW_TURN) for each in found] == [0, 0, 1]
    assert [each.state for each in found] == [WorkerState.SERVING, WorkerState.LEAVING, WorkerState.SERVING]
    assert {each.heartbeat_age for each in found} == {0.5}


def test_one_that_has_turned_since_the_clock_was_looked_at_is_not_of_the_future(row: Row) -> None:
    worker(row, 0)
    [found] = picture.workers(numbers(row), 99.0)
    assert found.heartbeat_age == 0


def test_control_is_no_worker(row: Row) -> None:
    assert picture.control(numbers(row), 100.0) is None
    Presence(row.said, row.columns, 77, 3).beat(98.0)
    found = picture.control(numbers(row), 100.0)
    assert found is not None
    assert (found.pid, found.generation, found.heartbeat_age, found.slot) == (77, 3, 2.0, -1)
    assert picture.workers(numbers(row), 100.0) == []


def test_the_processor_time_of_a_slot_is_that_of_all_its_workers(row: Row) -> None:
    assert picture.cpu_seconds(numbers(row)) == {}
    one = worker(row, 0)
    column = row.columns.of(catalogue.WORKER_CPU, "0")
    one.row[column], row.board.row(0)[column] = 250, 1000
    assert picture.cpu_seconds(numbers(row)) == {"0": 1.25, "1": 0}


def test_a_slot_that_a_reload_has_given_up_is_told_of_no_more(row: Row) -> None:
    leaving = worker(row, 3, 1, WorkerState.LEAVING)
    leaving.row[row.columns.of(catalogue.SLOTS)] = 4
    worker(row, 0, 2)
    assert set(picture.cpu_seconds(numbers(row))) == {"0", "1"}
