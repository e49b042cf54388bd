"""One question to one nameserver, which may answer anything."""

import asyncio
from collections.abc import Iterator

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.address import Inet
from l4d.names.exchange import NoAnswerError, ask, read
from tests.kit import Manner, Nameserver, free_port
from tests.unit.making import UNHURRIED
from tests.unit.names.asking import run

QUERY = dns.message.make_query("db.test.", "A")


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        nameserver.set("db.test", "A", "192.0.2.1")
        yield nameserver


def answer(address: Inet) -> list[str]:
    response = run(asyncio.wait_for(ask(address, QUERY), 10))
    return sorted(str(record) for rrset in response.answer for record in rrset)  # sent in any order


def failure(address: Inet) -> str:
    with pytest.raises(NoAnswerError) as caught:
        answer(address)
    return str(caught.value)


def test_a_question_is_answered_over_udp(nameserver: Nameserver) -> None:
    assert answer(nameserver.address) == ["192.0.2.1"]
    assert (nameserver.count(over="udp"), nameserver.count(over="tcp")) == (1, 0)


def test_over_ipv6_too() -> None:
    with Nameserver(Inet("::1", 0)) as nameserver:
        nameserver.set("db.test", "A", "192.0.2.1")
        assert answer(nameserver.address) == ["192.0.2.1"]


def test_an_answer_that_does_not_fit_is_fetched_over_tcp(nameserver: Nameserver) -> None:
    many = [f"192.0.2.{number}" for number in range(100)]
    nameserver.set("db.test", "A", *many)
    assert answer(nameserver.address) == sorted(many)
    assert (nameserver.count(over="udp"), nameserver.count(over="tcp")) == (1, 1)


def test_an_answer_that_is_cut_off_within_a_record_is_fetched_over_tcp_and_may_fail_there(
    nameserver: Nameserver,
) -> None:
    nameserver.behave(Manner.CUT)
    assert failure(nameserver.address) == "closed the connection"
    assert nameserver.count(over="tcp") == 1


def test_that_there_is_no_such_name_is_an_answer(nameserver: Nameserver) -> None:
    nameserver.forget("db.test")
    assert answer(nameserver.address) == []


@pytest.mark.parametrize(
    ("manner", "why"),
    [
        (Manner.SERVFAIL, "SERVFAIL"),
        (Manner.REFUSED, "REFUSED"),
        (Manner.GARBAGE, "an answer that makes no sense"),
        (Manner.WRONG_QUESTION, "an answer to another question"),
    ],
)
def test_what_is_no_answer_has_a_reason(nameserver: Nameserver, manner: Manner, why: str) -> None:
    nameserver.behave(manner)
    assert failure(nameserver.address) == why


@pytest.mark.parametrize("manner", [Manner.WRONG_ID, Manner.NOISE])
def test_what_does_not_belong_to_the_question_is_not_looked_at(nameserver: Nameserver, manner: Manner) -> None:
    nameserver.behave(manner)

    async def conversation() -> None:
        asked = asyncio.create_task(ask(nameserver.address, QUERY))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asked, 0.3)

    run(conversation())
    assert nameserver.count() == 1


def test_nobody_there_is_noticed_at_once() -> None:
    assert failure(Inet("127.0.0.1", free_port())) == "connection refused"


def test_an_address_that_cannot_be_reached_is_a_failure() -> None:
    assert failure(Inet("255.255.255.255", 53)) == "permission denied"
    assert failure(Inet("fe80::1%nosuch", 53)) == "name or service not known"


@UNHURRIED
@given(st.data())
def test_no_bytes_are_too_strange(data: st.DataObject) -> None:
    """A good answer with bytes changed, or cut, or nothing but bytes."""
    response = dns.message.make_response(QUERY)
    response.answer.append(dns.rrset.from_text("db.test.", 60, "IN", "CNAME", "a.test."))
    response.answer.append(dns.rrset.from_text("a.test.", 60, "IN", "AAAA", "::1"))
    wire = bytearray(response.to_wire())
    for _change in range(data.draw(st.integers(0, 6))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))
    raw = data.draw(st.one_of(st.just(bytes(wire)), st.just(bytes(wire[: data.draw(st.integers(0, 60))])), st.binary()))
    try:
        assert QUERY.is_response(read(QUERY, raw))
    except NoAnswerError as error:
        assert str(error).isprintable()
