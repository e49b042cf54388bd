"""One question to all nameservers: order, shares of the timeout, search lists, what an answer says."""

import asyncio
import math
import os
import time
from pathlib import Path

import dns.message
import dns.rrset
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st

from l4d.address import Inet
from l4d.names import resolv_conf
from l4d.names.exchange import NoAnswerError, read
from l4d.names.lookup import Lookup, Reply, said_by
from tests.kit import Manner, Nameserver, free_port
from tests.unit.making import UNHURRIED
from tests.unit.names.asking import NOWHERE, lookup, run, until

A, AAAA = RdataType.A, RdataType.AAAA


def one(asked: Lookup, name: str = "db.test", kind: RdataType = A) -> Reply:
    (reply,) = run(asked.ask(name, kind))
    return reply


def texts(reply: Reply) -> list[str]:
    return sorted(map(str, reply.records))  # a nameserver may send them in any order


def test_an_answer_has_its_records_and_their_ttl() -> None:
    results: list[str] = []
    with Nameserver() as nameserver:
        nameserver.set("db.test", "A", "192.0.2.1", "192.0.2.2", ttl=30)
        reply = one(lookup(nameserver.address, results=results))
    assert (texts(reply), reply.ttl, reply.failure) == (["192.0.2.1", "192.0.2.2"], 30, "")
    assert results == ["answered"]


def test_a_chain_of_cnames_is_followed_and_the_least_ttl_is_that_of_all() -> None:
    with Nameserver() as nameserver:
        nameserver.set("db.test", "CNAME", "one.test.", ttl=40)
        nameserver.set("one.test", "CNAME", "two.test.", ttl=7)
        nameserver.set("two.test", "A", "192.0.2.1", ttl=60)
        reply = one(lookup(nameserver.address))
    assert (texts(reply), reply.ttl) == (["192.0.2.1"], 7)


def test_cnames_in_a_circle_are_a_failure() -> None:
    with Nameserver() as nameserver:
        nameserver.set("db.test", "CNAME", "one.test.")
        nameserver.set("one.test", "CNAME", "db.test.")
        assert one(lookup(nameserver.address)).failure == "an answer that makes no sense"


def test_no_such_name_and_no_such_record_are_answers() -> None:
    results: list[str] = []
    with Nameserver() as nameserver:
        nameserver.set("db.test", "AAAA", "::1")
        asked = lookup(nameserver.address, results=results)
        assert one(asked).empty
        assert one(lookup(nameserver.address, results=results), "nobody.test").empty
    assert results == ["empty", "empty"]


def test_the_next_nameserver_is_asked_when_one_fails() -> None:
    results: list[str] = []
    with Nameserver() as first, Nameserver() as second:
        first.behave(Manner.SERVFAIL)
        second.set("db.test", "A", "192.0.2.1")
        assert texts(one(lookup(first.address, second.address, results=results))) == ["192.0.2.1"]
        assert first.count() == 1
    assert results == ["answered"]


def test_the_next_nameserver_is_asked_when_nobody_is_at_the_first() -> None:
    nobody = Inet("127.0.0.1", free_port())
    with Nameserver() as second:
        second.set("db.test", "A", "192.0.2.1")
        assert texts(one(lookup(nobody, second.address, timeout=60))) == ["192.0.2.1"]


def test_the_next_nameserver_is_reached_within_the_timeout_when_the_first_is_silent() -> None:
    with Nameserver() as first, Nameserver() as second:
        first.behave(Manner.SILENT)
        second.set("db.test", "A", "192.0.2.1")
        assert texts(one(lookup(first.address, second.address, timeout=4))) == ["192.0.2.1"]
        assert first.count() > 0


def test_a_question_that_is_lost_is_asked_again() -> None:
    with Nameserver() as nameserver:
        nameserver.set("db.test", "A", "192.0.2.1")
        nameserver.lose(1)
        assert texts(one(lookup(nameserver.address, timeout=4))) == ["192.0.2.1"]
        assert nameserver.count() > 1


def test_a_slow_answer_counts_although_others_were_asked_meanwhile() -> None:
    with Nameserver() as first, Nameserver() as second:
        first.set("db.test", "A", "192.0.2.1")
        first.behave(Manner.WELL, after=1.8)
        second.behave(Manner.SILENT)
        assert texts(one(lookup(first.address, second.address, timeout=6))) == ["192.0.2.1"]
        assert second.count() > 0


def test_a_nameserver_that_answers_after_30_seconds_has_failed_at_the_timeout() -> None:
    results: list[str] = []
    with Nameserver() as nameserver:
        nameserver.set("db.test", "A", "192.0.2.1")
        nameserver.behave(Manner.WELL, after=30)
        began = time.monotonic()
        reply = one(lookup(nameserver.address, timeout=0.2, results=results))
    assert reply.failure == f"{nameserver.address}: no answer within 0.2 s"
    assert time.monotonic() - began < 15
    assert results == ["failed"]


def test_a_failure_says_what_each_nameserver_did() -> None:
    nobody = Inet("127.0.0.1", free_port())
    with Nameserver() as first:
        first.behave(Manner.REFUSED)
        failure = one(lookup(first.address, nobody)).failure
    assert failure == f"{first.address}: REFUSED; {nobody}: connection refused"


def test_all_types_are_asked_at_the_same_time() -> None:
    async def conversation() -> None:
        asking = asyncio.create_task(lookup(nameserver.address).ask("db.test", A, AAAA))
        await until("both were asked", lambda: nameserver.count(kind="A") and nameserver.count(kind="AAAA"))
        assert not asking.done()
        asking.cancel()

    with Nameserver() as nameserver:
        nameserver.behave(Manner.SILENT)
        run(conversation())


def test_one_type_can_fail_while_another_is_answered() -> None:
    with Nameserver() as nameserver:
        nameserver.set("db.test", "AAAA", "::1")
        nameserver.behave(Manner.SERVFAIL, "db.test", "A")
        first, second = run(lookup(nameserver.address).ask("db.test", A, AAAA))
    assert first.failure
    assert texts(second) == ["::1"]


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Local":
    return Local(tmp_path / "resolv.conf", monkeypatch)


class Local:
    """A resolv.conf that leads to a scripted nameserver: the file has no place for a port."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        self._monkeypatch = monkeypatch

    def lookup(self, nameserver: Nameserver, *lines: str) -> Lookup:
        self._path.write_text("\n".join([f"nameserver {nameserver.address.host}", *lines]))
        self._monkeypatch.setattr(resolv_conf, "_PORT", nameserver.port)
        return lookup(resolv_conf=str(self._path))


def test_a_short_name_is_found_by_the_search_list(local: Local) -> None:
    with Nameserver() as nameserver:
        nameserver.set("db.two.test", "A", "192.0.2.1")
        assert texts(one(local.lookup(nameserver, "search one.test two.test three.test"), "db")) == ["192.0.2.1"]
        assert [each.name for each in nameserver.questions] == ["db.one.test", "db.two.test"]


def test_all_types_are_taken_from_the_same_name_of_the_search_list(local: Local) -> None:
    with Nameserver() as nameserver:
        nameserver.set("db.one.test", "A", "192.0.2.1")
        nameserver.set("db.two.test", "AAAA", "::2")
        first, second = run(local.lookup(nameserver, "search one.test two.test").ask("db", A, AAAA))
    assert (texts(first), second.empty) == (["192.0.2.1"], True)


def test_a_name_that_could_not_be_asked_for_is_not_taken_for_another(local: Local) -> None:
    with Nameserver() as nameserver:
        nameserver.behave(Manner.SERVFAIL, "db.one.test")
        nameserver.set("db.two.test", "A", "192.0.2.1")
        assert one(local.lookup(nameserver, "search one.test two.test"), "db").failure


def test_a_name_that_the_search_list_makes_too_long_does_not_exist(local: Local) -> None:
    with Nameserver() as nameserver:
        name = ".".join(["a" * 61] * 4)
        nameserver.set(name, "A", "192.0.2.1")
        assert texts(one(local.lookup(nameserver, "search one.test", "options ndots:5"), name)) == ["192.0.2.1"]
        assert nameserver.count() == 1


def test_without_a_resolv_conf_there_is_a_reason() -> None:
    assert one(lookup()).failure == f"{NOWHERE}: No such file or directory"


def test_nothing_is_left_open() -> None:
    async def conversation() -> tuple[int, int]:
        asked = lookup(first.address, second.address, timeout=0.2)
        await asked.ask("db.test", A)
        before = len(os.listdir("/proc/self/fd"))
        for _time in range(3):
            await asked.ask("db.test", A, AAAA)
        return before, len(os.listdir("/proc/self/fd"))

    with Nameserver() as first, Nameserver() as second:
        first.behave(Manner.SILENT)
        second.behave(Manner.CUT)
        before, after = run(conversation())
    assert before == after


def test_many_questions_are_not_all_asked_at_once() -> None:
    async def conversation() -> None:
        asked = lookup(nameserver.address, timeout=60)
        asking = asyncio.gather(*(asked.ask(f"n{number}.test", A) for number in range(300)))
        await until("64 were asked", lambda: nameserver.count() >= 64)
        await lookup(nameserver.address).ask("after.test", A)  # counted after all that were sent before
        assert nameserver.count() == 65
        asking.cancel()

    with Nameserver() as nameserver:
        nameserver.behave(Manner.SILENT)
        nameserver.behave(Manner.WELL, "after.test")
        run(conversation())


QUERY = dns.message.make_query("db.test.", "A")


@UNHURRIED
@given(st.data())
def test_no_answer_is_too_strange(data: st.DataObject) -> None:
    response = dns.message.make_response(QUERY)
    response.answer.append(dns.rrset.from_text("db.test.", 60, "IN", "CNAME", "a.test."))
    response.answer.append(dns.rrset.from_text("a.test.", 60, "IN", "A", "192.0.2.1"))
    wire = bytearray(response.to_wire())
    for _change in range(data.draw(st.integers(0, 3))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        reply = said_by(read(QUERY, bytes(wire)))
    except NoAnswerError:
        return
    assert reply.empty == (reply.ttl == math.inf)
    assert reply.ttl >= 0
