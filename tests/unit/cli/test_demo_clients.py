"""What the clients of the demo make of what they meet."""

from l4d.address import Inet
from l4d.cli.demo_clients import QUESTIONS, Asked, ask
from l4d.terms import Protocol
from tests.kit import Server, UdpServer

THREE = {"one", "two", "three"}


def test_all_is_well_when_every_server_answered() -> None:
    assert Asked(["one", "two", "three", "one"], THREE).complete


def test_a_server_without_a_share_is_not_well() -> None:
    assert not Asked(["one", "two", "one", "two"], {"one", "two"}).complete


def test_a_question_without_an_answer_is_not_well() -> None:
    assert not Asked(["one", "two", "three", "no answer: timed out"], THREE).complete


def test_who_is_refused_notes_why() -> None:
    with Server() as server, UdpServer() as udp_server:
        gone, udp_gone = server.address, udp_server.address
    assert isinstance(gone, Inet)
    assert isinstance(udp_gone, Inet)
    refused = Asked(["no answer: Connection refused"] * QUESTIONS, set())
    assert ask(Protocol.TCP, gone) == refused
    assert ask(Protocol.UDP, udp_gone) == refused
