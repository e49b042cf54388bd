"""The kit itself: its peers hear each other, and what it cannot find it names."""

import socket

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.kit import (
    Client,
    Echo,
    Manner,
    Nameserver,
    Server,
    UdpClient,
    UdpEcho,
    UdpServer,
    ask,
    ask_udp,
    find_program,
    wait_until,
)
from tests.kit.wait import TIMEOUT


def test_a_conversation_ends_with_fin_or_with_rst(server: Server) -> None:
    with Client(server.address) as client, server.accept() as peer:
        client.send(b"question").finish()
        assert peer.read_all() == b"question"
        peer.send(b"answer\n")
        assert client.read_line() == b"answer\n"
        assert client.waiting() == 0
        peer.reset()
        assert client.is_reset()
    assert server.nobody_waits()


def test_a_datagram_knows_the_way_back() -> None:
    with UdpServer() as server, UdpClient(server.address) as client:
        client.send(b"question")
        datagram = server.receive()
        assert (datagram.data, datagram.sender) == (b"question", client.local)
        datagram.answer(b"answer")
        assert client.receive() == b"answer"
        assert server.nothing_waits()


def test_echoes_say_who_they_are() -> None:
    with Echo("one") as one, UdpEcho("two") as two:
        assert (ask(one.address), ask_udp(two.address)) == ("one", "two")
        assert (one.served, two.served) == (1, 1)


def test_an_echo_without_a_name_changes_nothing() -> None:
    with Echo() as plain, Client(plain.address) as client:
        assert client.send(b"no newline").finish().read_all() == b"no newline"


def test_a_closed_echo_leaves_nobody_connected() -> None:
    with Echo("one") as one:
        client = Client(one.address).send(b"half a line")
    with client:
        client.is_reset()  # or finished: either way it ends


def test_what_never_comes_true_is_named() -> None:
    with pytest.raises(AssertionError, match="in vain until pigs fly"):
        wait_until("pigs fly", lambda: False, timeout=0.01)


def test_a_nameserver_says_what_it_was_told_and_who_asked() -> None:
    with Nameserver() as nameserver:
        nameserver.set("db.test", "CNAME", "one.test.", ttl=7)
        nameserver.set("one.test", "A", "192.0.2.1")
        answer = dns.query.udp(dns.message.make_query("db.test", "A"), "127.0.0.1", TIMEOUT, nameserver.port)
        assert [rrset.to_text() for rrset in answer.answer] == [
            "db.test. 7 IN CNAME one.test.",
            "one.test. 60 IN A 192.0.2.1",
        ]
        nameserver.behave(Manner.SERVFAIL, "db.test")
        answer = dns.query.tcp(dns.message.make_query("db.test", "A"), "127.0.0.1", TIMEOUT, nameserver.port)
        assert answer.rcode() == dns.rcode.SERVFAIL
        assert [nameserver.count("db.test", over=over) for over in ("udp", "tcp")] == [1, 1]


def test_a_nameserver_outlives_those_who_do_not_ask() -> None:
    with Nameserver() as nameserver:
        for said in (b"", b"\0", b"\0\x10abc", b"\0\0"):
            with socket.create_connection(("127.0.0.1", nameserver.port)) as client:
                client.sendall(said)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"junk", ("127.0.0.1", nameserver.port))
        for ask_over in (dns.query.udp, dns.query.tcp):
            answer = ask_over(dns.message.make_query("db.test", "A"), "127.0.0.1", TIMEOUT, nameserver.port)
            assert answer.rcode() == dns.rcode.NXDOMAIN


def test_a_missing_program_is_not_found() -> None:
    assert find_program("sh")
    assert find_program("l4d-no-such-program") is None
