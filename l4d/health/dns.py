"""The check of type dns: a name server that has a record of the name asked for is well (RFC 1035).

dnspython makes the query and reads the answer. The sockets are ours: a connected one is told of a refusal.
"""

import re
import struct

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from l4d.config.model import Check
from l4d.health.connection import connect, receive, receive_exactly, send
from l4d.health.probe import Answer, Target
from l4d.health.udp import LARGEST, connect_datagram
from l4d.health.words import one_line, reason

_LENGTH = struct.Struct("!H")


class DnsProbe:
    """Asks over UDP, and over TCP when the answer does not fit into a datagram."""

    def __init__(self, check: Check) -> None:
        self._name = check.query
        self._type = check.query_type
        self._answer = re.compile(check.answer) if check.answer else None

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        try:
            query = dns.message.make_query(self._name, self._type)
            wire = await _over_udp(target, query.to_wire())
            if _is_truncated(wire):  # maybe within a record, so that it cannot be read
                wire = await _over_tcp(target, query.to_wire())
            response = _read(query, wire)
        except dns.exception.DNSException as error:
            raise ValueError(reason(error)) from error
        return self._judge(response)

    def _judge(self, response: dns.message.Message) -> Answer:
        if response.rcode() != dns.rcode.NOERROR:
            return Answer(well=False, why=f"answered {dns.rcode.to_text(response.rcode())}")
        kind = dns.rdatatype.from_text(self._type)
        records = [record.to_text() for rrset in response.answer if rrset.rdtype == kind for record in rrset]
        if not records:
            return Answer(well=False, why=f"has no {self._type} record of {self._name}")
        if self._answer is not None and not any(map(self._answer.search, records)):
            return Answer(well=False, why=one_line(f"has other records: {', '.join(records[:10])}"))
        return Answer(well=True)


def _read(query: dns.message.Message, wire: bytes) -> dns.message.Message:
    response = dns.message.from_wire(wire)
    if not query.is_response(response):
        raise ValueError("answered another question")
    return response


def _is_truncated(wire: bytes) -> bool:
    """The bit TC of the header (RFC 1035, 4.1.1)."""
    return len(wire) > 3 and bool(int.from_bytes(wire[2:4], "big") & dns.flags.TC)


async def _over_udp(target: Target, wire: bytes) -> bytes:
    with connect_datagram(target.address) as sock:
        sock.send(wire)
        return await receive(sock, LARGEST)


async def _over_tcp(target: Target, wire: bytes) -> bytes:
    with await connect(target.address) as sock:
        await send(sock, _LENGTH.pack(len(wire)) + wire)
        (length,) = _LENGTH.unpack(await receive_exactly(sock, _LENGTH.size))
        return await receive_exactly(sock, length)
