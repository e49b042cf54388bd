"""The facts of a session, written down in one worker and taken up in another."""

import json

import pytest

from l4d.address import Inet, Unix
from l4d.handover import record
from l4d.handover.record import Kind, Record
from l4d.session import transfer
from l4d.session.session import Phase, Session
from l4d.session.transfer import MOST_TRIED, found, identity, record_of, session_of
from tests.unit.making import Clock, Row

CLIENT = ("203.0.113.9", 51812)


def sent(told: Record) -> Record:
    """As it arrives in another worker."""
    return record.understood(json.loads(json.dumps(record.told(told))))


def served(row: Row) -> Session:
    """A session that a server serves, and of which every fact is another one."""
    clock = Clock(1000.25)
    session = Session(row.service(clock.as_loop(), row.place()), CLIENT, 5432, 2, local=("203.0.113.1", 5432))
    clock.now = 1000.5
    row.served(session)
    session.tries = 3
    session.bytes_up, session.bytes_down = 1204, 88213
    session.datagrams_up, session.datagrams_down = 5, 7
    return session


FACTS = (
    "id",
    "client",
    "local",
    "port",
    "started",
    "connected",
    "tries",
    "bytes_up",
    "bytes_down",
    "datagrams_up",
    "datagrams_down",
    "descriptors",
    "phase",
)


def test_every_fact_of_a_session_goes_with_it() -> None:
    row = Row()
    there = row.another()
    before = served(row)
    server = there.server()
    after = session_of(there.service(Clock(2000.0).as_loop()), sent(record_of(before, Kind.RELAY)), 2, server)
    assert {name: getattr(after, name) for name in FACTS} == {name: getattr(before, name) for name in FACTS}
    assert after.server is server
    assert set(FACTS) | {"server", "service", "tried"} == set(Session.__slots__)


def test_a_record_says_what_it_is_of_and_who_serves_it() -> None:
    told = record_of(served(Row()), Kind.FLOW)
    assert (told.kind, told.listener, told.server) == ("flow", "web", ["db", "one", "10.0.0.1:5432"])


def test_a_session_that_nobody_serves_has_no_server_there_either() -> None:
    row = Row()
    session = Session(row.service(Clock().as_loop()), "/run/client", 0, 2)
    told = sent(record_of(session, Kind.QUEUED))
    assert told.server == []
    after = session_of(row.another().service(Clock().as_loop()), told, 2, None)
    assert (after.server, after.phase, after.client) == (None, Phase.DIAL, "/run/client")


def test_a_session_that_has_come_may_go_on_again() -> None:
    row = Row()
    told = sent(record_of(served(row), Kind.RELAY))
    after = session_of(row.service(Clock().as_loop()), told, 2, row.server())
    assert record_of(after, Kind.RELAY) == told


@pytest.mark.parametrize("address", [Inet("::1", 53), Unix("/run/db.sock")])
def test_a_server_is_known_by_three_words(address: Inet | Unix) -> None:
    server = Row().server(name="s", address=address)
    assert identity(server) == ["db", "s", str(address)]


def test_of_many_servers_that_were_tried_the_last_are_told() -> None:
    row = Row()
    servers = [row.server(name="one", address=Inet("10.0.0.1", port)) for port in range(1, MOST_TRIED + 6)]
    told = transfer.told(servers)
    assert told == [identity(server) for server in servers[-MOST_TRIED:]]
    assert transfer.told(servers[:2]) == [identity(server) for server in servers[:2]]


def test_those_that_there_still_are_are_found_in_their_order() -> None:
    row = Row()
    servers = {name: row.server(name=name) for name in ("a", "b", "c")}
    identities = [identity(servers[name]) for name in ("c", "b", "a")]
    del servers["b"]
    assert found(identities, lambda words: servers.get(words[1])) == (servers["c"], servers["a"])
    assert found([], lambda _words: None) == ()
