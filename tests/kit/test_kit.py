"""The kit itself: its peers hear each other, and what it cannot find it names."""

import pytest

from tests.kit import Client, Echo, Server, UdpClient, UdpEcho, UdpServer, ask, ask_udp, find_program, wait_until


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


def test_a_missing_program_is_not_found() -> None:
    assert find_program("sh")
    assert find_program("l4d-no-such-program") is None
