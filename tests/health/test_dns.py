"""The check of type dns, with a real name server and with odd ones."""

import asyncio
import struct
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from l4d.address import Inet
from l4d.terms import CheckType
from tests.health.asking import ask, ask_once, run
from tests.kit.needs import needs
from tests.kit.scripted import datagram_server, stream_server
from tests.kit.servers import Resolver

DNS = CheckType.DNS
QUERY = {"query": "host1.example.test"}


@needs("unbound")
class TestUnbound:
    @pytest.fixture
    def resolver(self, tmp_path: Path) -> Iterator[Resolver]:
        with Resolver(tmp_path, hosts=2) as resolver:
            yield resolver

    def test_one_that_has_the_record_is_well(self, resolver: Resolver) -> None:
        assert ask_once(DNS, resolver.address, **QUERY).well
        assert ask_once(DNS, resolver.address, answer=r"^192\.0\.2\.1$", **QUERY).well

    def test_one_that_has_not_is_not(self, resolver: Resolver) -> None:
        other = ask_once(DNS, resolver.address, answer=r"^192\.0\.2\.7$", **QUERY)
        assert (other.well, other.why) == (False, "has other records: 192.0.2.1")
        kind = ask_once(DNS, resolver.address, query_type="AAAA", **QUERY)
        assert (kind.well, kind.why) == (False, "has no AAAA record of host1.example.test")
        name = ask_once(DNS, resolver.address, query="absent.example.test")
        assert (name.well, name.why) == (False, "answered NXDOMAIN")


def response(query: bytes, *texts: str, truncated: bool = False) -> bytes:
    message = dns.message.make_response(dns.message.from_wire(query))
    if texts:
        message.answer.append(dns.rrset.from_text("host1.example.test.", 60, "IN", "A", *texts))
    if truncated:
        message.flags |= dns.flags.TC
    return message.to_wire()


@pytest.mark.parametrize("cut", [0, 3], ids=["after a record", "within a record"])
def test_an_answer_that_is_truncated_is_asked_for_over_tcp(cut: int) -> None:
    async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        answer = response(await reader.readexactly(length), *(f"192.0.{n >> 8}.{n & 255}" for n in range(2000)))
        writer.write(struct.pack("!H", len(answer)) + answer)
        await reader.read()

    async def conversation() -> None:
        async with stream_server(over_tcp) as tcp:
            assert isinstance(tcp.address, Inet)

            def over_udp(query: bytes) -> bytes:
                whole = response(query, "192.0.2.1", truncated=True)
                return whole[: len(whole) - cut]

            async with datagram_server(over_udp, tcp.address.port):
                assert (await ask(DNS, tcp.address, answer="^192.0.7.207$", **QUERY)).well

    run(conversation())


def test_an_answer_to_another_question_is_none() -> None:
    async def conversation() -> None:
        async with datagram_server(lambda query: b"\0\0" + response(query, "192.0.2.1")[2:]) as server:
            answer = await ask(DNS, server.address, **QUERY)
            assert (answer.well, answer.why) == (False, "answered another question")

    run(conversation())


@pytest.mark.parametrize(
    "keys", [{"query": "a..b"}, {"query": "x" * 70}, {"query": "example.test", "query_type": "NO"}]
)
def test_a_question_that_cannot_be_asked_is_a_reason(keys: dict[str, str]) -> None:
    assert not ask_once(DNS, Inet("127.0.0.1", 1), **keys).well
