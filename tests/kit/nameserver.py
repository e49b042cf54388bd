"""A nameserver in a thread, that knows what the test tells it and misbehaves as the test likes.

    with Nameserver() as nameserver:
        nameserver.set("db.test", "A", "192.0.2.1", "192.0.2.2", ttl=1)
        nameserver.set("_pg._tcp.test", "SRV", "0 5 5432 db.test.")
        nameserver.behave(Manner.SILENT, "db.test", "AAAA")
        ...
        assert nameserver.count("db.test", "A") == 1

A name that was set for another type exists, and has no record of this type; any other does not exist. A CNAME is
followed as far as it is known here. An answer of more than 512 bytes is truncated over UDP.
"""

import enum
import selectors
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from l4d.address import Address, Inet, from_sockaddr
from tests.kit.closing import Closing
from tests.kit.wait import TIMEOUT

_LARGEST_DATAGRAM = 512
_LOOPBACK = Inet("127.0.0.1", 0)


class Manner(enum.Enum):
    """How a question is answered."""

    WELL = "well"
    SILENT = "silent"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TRUNCATED = "truncated"  # over UDP; well over TCP
    CUT = "cut"  # truncated within a record over UDP, and TCP is closed at once
    GARBAGE = "garbage"  # with the right id
    NOISE = "noise"  # without
    WRONG_ID = "wrong_id"
    WRONG_QUESTION = "wrong_question"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: a name without the last dot, a type such as "A", and over what: "udp" or "tcp"."""

    name: str
    kind: str
    over: str


class Nameserver(Closing):
    def __init__(self, address: Address = _LOOPBACK) -> None:
        """Listens on UDP and TCP, with one port for both."""
        self.questions: list[Question] = []
        """All that were asked, in order."""
        self._records: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {}
        self._manners: dict[tuple[str, str], tuple[Manner, float]] = {("", ""): (Manner.WELL, 0.0)}
        self._udp, self._tcp = _sockets(address)
        bound = from_sockaddr(self._udp.getsockname())
        assert isinstance(bound, Inet)
        self.address = bound
        self.port = bound.port
        self._to_lose = 0
        self._late: list[tuple[float, bytes, Any]] = []
        self._stop, self._stopped = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for sock in (self._udp, self._tcp, self._stopped):
            self._selector.register(sock, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="nameserver", daemon=True)
        self._thread.start()

    def set(self, name: str, kind: str, *values: str, ttl: int = 60) -> None:
        """From now on *name* has these records of the type *kind*, and no other of it; without *values* none."""
        self._records[name, kind] = ttl, values

    def forget(self, name: str) -> None:
        """From now on *name* does not exist."""
        self._records = {key: values for key, values in self._records.items() if key[0] != name}

    def behave(self, manner: Manner, name: str = "", kind: str = "", after: float = 0.0) -> None:
        """Answer in this manner so many seconds after a question; for all names, for all types, if none is given."""
        self._manners[name, kind] = manner, after

    def lose(self, number: int) -> None:
        """The next so many questions are not answered."""
        self._to_lose = number

    def count(self, name: str = "", kind: str = "", over: str = "") -> int:
        """How often it was asked; for any name, any type, over either, if none is given."""
        return sum(
            (not name or each.name == name) and (not kind or each.kind == kind) and (not over or each.over == over)
            for each in list(self.questions)
        )

    def close(self) -> None:
        """From now on questions are refused by the kernel."""
        self._stop.close()
        self._thread.join(TIMEOUT)
        for sock in (self._udp, self._tcp, self._stopped):
            sock.close()

    def _serve(self) -> None:
        with self._selector as selector:
            while True:
                ready = {key.fileobj for key, _events in selector.select(self._send_what_is_due())}
                if self._stopped in ready:
                    return
                if self._udp in ready:
                    self._take_datagram()
                if self._tcp in ready:
                    self._take_connection()

    def _take_datagram(self) -> None:
        with suppress(OSError):  # an earlier answer was refused
            wire, sender = self._udp.recvfrom(65535)
            answer, after = self._answer(wire, "udp")
            if answer is not None:
                self._late.append((time.monotonic() + after, answer, sender))

    def _send_what_is_due(self) -> float | None:
        """Returns how long it is until the next answer is due."""
        now = time.monotonic()
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        for _at, answer, sender in due:
            with suppress(OSError):
                self._udp.sendto(answer, sender)
        return min((at for at, _answer, _sender in self._late), default=now + 3600) - now

    def _take_connection(self) -> None:
        """One question a connection, answered while all others wait. That is enough for a test."""
        with suppress(OSError), self._tcp.accept()[0] as peer:
            peer.settimeout(1)
            length = int.from_bytes(peer.recv(2, socket.MSG_WAITALL), "big")
            answer, _after = self._answer(peer.recv(length, socket.MSG_WAITALL), "tcp")
            if answer is not None:
                peer.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, wire: bytes, over: str) -> tuple[bytes | None, float]:
        """What to send, and after how many seconds. What is no question has no answer; a peer may just have closed."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None, 0.0
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        self.questions.append(Question(name, kind, over))
        if self._to_lose:
            self._to_lose -= 1
            return None, 0.0
        for key in ((name, kind), (name, ""), ("", kind), ("", "")):
            if key in self._manners:
                break
        manner, after = self._manners[key]
        return _in_manner(manner, query, self._response(query, name, kind), over), after

    def _response(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        known = True
        for _step in range(20):
            known = any(each == name for each, _kind in list(self._records))
            if self._add(response, name, kind) or not (target := self._add(response, name, "CNAME")):
                break
            name = target.removesuffix(".")
        if not known:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def _add(self, response: dns.message.Message, name: str, kind: str) -> str:
        """Put the records into *response*: the last one's text, or "" when there is none."""
        ttl, values = self._records.get((name, kind), (0, ()))
        if not values:
            return ""
        response.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", kind, *values))
        return values[-1]


def _in_manner(manner: Manner, query: dns.message.Message, response: dns.message.Message, over: str) -> bytes | None:
    if manner is Manner.SILENT:
        return None
    if manner is Manner.GARBAGE:
        return response.to_wire()[:2] + b"\x80\x00" + bytes(range(40, 100))
    if manner is Manner.NOISE:
        return b"\x00\x00\x00"
    if manner in {Manner.SERVFAIL, Manner.REFUSED}:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.from_text(manner.value))
    if manner is Manner.WRONG_ID:
        response.id ^= 1
    if manner is Manner.WRONG_QUESTION:
        response.question = [dns.rrset.from_text("other.test.", 0, "IN", "A")]
    if over == "tcp":
        return None if manner is Manner.CUT else response.to_wire()
    return _datagram(manner, response)


def _datagram(manner: Manner, response: dns.message.Message) -> bytes:
    wire = response.to_wire()
    if manner is Manner.CUT:
        return wire[:2] + bytes([wire[2] | 2]) + wire[3:-3]
    if manner is not Manner.TRUNCATED and len(wire) <= _LARGEST_DATAGRAM:
        return wire
    response.answer.clear()
    response.flags |= dns.flags.TC
    return response.to_wire()


def _sockets(address: Address) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP with one port."""
    for _attempt in range(100):
        udp = socket.socket(address.family, socket.SOCK_DGRAM)
        tcp = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            udp.bind(address.sockaddr)
            tcp.bind(udp.getsockname())
            tcp.listen(128)
            return udp, tcp
        except OSError:
            udp.close()
            tcp.close()
    raise AssertionError(f"no port of {address} is free for UDP and TCP")
