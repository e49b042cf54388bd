"""What is told of a session."""

import pytest

from l4d.config.template import FIELDS
from l4d.session.facts import address_text, facts_of
from l4d.session.session import Session
from l4d.terms import End
from tests.unit.making import Clock, Row

WALL = 1764000000.5


def test_a_session_that_has_ended_is_told_with_its_server_and_its_end() -> None:
    row, clock = Row(), Clock()
    session = Session(row.service(clock.as_loop(), row.place()), ("10.9.9.9", 1), 5432, 2, local=("::1", 5432, 0, 0))
    server = session.choose()
    assert server is not None
    session.served_by(server)
    facts = facts_of(session, session.started + 0.25, WALL, End.FINISHED)
    assert facts["time"] == "2025-11-24T16:00:00.250Z"
    assert facts["client"] == "10.9.9.9:1"
    assert facts["local"] == "[::1]:5432"
    assert facts["server_name"] == server.name
    assert facts["server"] == str(server.address)
    assert facts["connect_ms"] == 0
    assert facts["duration_ms"] == pytest.approx(250)
    assert (facts["end"], facts["end_text"]) == ("--", "finished")


def test_what_there_is_not_is_none() -> None:
    row, clock = Row(), Clock()
    facts = facts_of(Session(row.service(clock.as_loop()), "", 0, 2), 1000.0, WALL)
    assert facts["client"] == "unix:"
    assert [facts[name] for name in ("server", "server_name", "connect_ms", "end", "end_text")] == [None] * 5


def test_the_facts_are_those_of_the_access_log_in_its_order() -> None:
    row, clock = Row(), Clock()
    facts = facts_of(Session(row.service(clock.as_loop()), "", 0, 2), 1000.0, WALL)
    assert tuple(facts) == FIELDS
    assert (facts["worker"], facts["generation"]) == (0, 1)
    assert (facts["sni"], facts["proxied_by"]) == (None, None)


@pytest.mark.parametrize(
    ("sockaddr", "text"),
    [
        (("10.0.0.1", 80), "10.0.0.1:80"),
        (("::1", 80, 0, 0), "[::1]:80"),
        ("/run/a b\n", "unix:/run/a b\n"),
        ("", "unix:"),
        (b"\0name", "unix:@name"),
        (b"\0\xff", "unix:@\udcff"),
    ],
)
def test_an_address_is_written_as_it_is(sockaddr: object, text: str) -> None:
    assert address_text(sockaddr) == text


def test_json_can_say_all_facts() -> None:
    row, clock = Row(), Clock()
    session = Session(row.service(clock.as_loop()), "/a\udcff", 0, 2, local="/b\ud800")
    facts = facts_of(session, 1000.0, WALL)
    assert (facts["client"], facts["local"]) == ("unix:/a\ufffd", "unix:/b\ufffd")
