"""The clients of the demo: each asks one question from a port of its own, and notes who answered."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass

from l4d.address import Inet
from l4d.cli.demo_servers import EACH
from l4d.terms import Protocol

QUESTIONS = 2 * EACH
"""How many are asked over each protocol."""

_PATIENCE = 2.0
_QUESTION = b"hello\n"
_LARGEST = 65536


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of the questions over one protocol."""

    answers: list[str]  # the name of the server, or why there was none
    servers: set[str]  # those that answered

    @property
    def complete(self) -> bool:
        """Whether every question was answered, and every server had its share."""
        return len(self.servers) == EACH and self.servers.issuperset(self.answers)


def ask(protocol: Protocol, address: Inet) -> Asked:
    """Ask one question after the other."""
    ask_once = _ASK[protocol]
    answers: list[str] = []
    servers: set[str] = set()
    for _ in range(QUESTIONS):
        try:
            servers.add(name := json.loads(ask_once(address))["hostname"])
        except OSError as error:
            name = f"no answer: {error.strerror or error}"
        except ValueError:
            name = "no answer: the connection was closed"
        answers.append(name)
    return Asked(answers, servers)


def _ask_tcp(address: Inet) -> bytes:
    with socket.create_connection(address.sockaddr, _PATIENCE) as sock, sock.makefile("rb") as lines:
        sock.sendall(_QUESTION)
        return lines.readline()


def _ask_udp(address: Inet) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_PATIENCE)
        sock.connect(address.sockaddr)
        sock.send(_QUESTION)
        return sock.recv(_LARGEST)


_ASK: dict[Protocol, Callable[[Inet], bytes]] = {Protocol.TCP: _ask_tcp, Protocol.UDP: _ask_udp}
