"""The examples in conf/examples: each is started as it is shipped, and does what its first line says.

Addresses are changed in two cases only. Ports it names may be taken on this machine; then others are written in their
place. And the servers of the PostgreSQL example stand for the reader's own; ours is written in.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import AF_UNIX, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, SocketKind, socket

import pytest

from l4d.address import Address, Inet
from tests.kit import Echo, Start, UdpEcho, ask, ask_udp, free_port, needs, wait_until
from tests.kit.programs import LOOPBACK, free_port_of_both, port_of, run
from tests.kit.servers import PostgreSQL, conninfo

EXAMPLES = Path(__file__).parents[3] / "conf" / "examples"

CLIENTS = 30
WORKERS = 2  # the Daemon's, unless the file says how many


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """The ports are the same for every run of these tests on this machine: runs take turns."""
    with socket(AF_UNIX) as turn:
        wait_until("it is our turn", lambda: _is_taken(turn, "\0l4d-tests/examples"), timeout=60)
        yield


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda example: example.name)
def test_every_example_starts_without_a_server_being_there(
    start: Start, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in re.findall(r'password_env = "(.+)"', example.read_text()):
        monkeypatch.setenv(variable, "secret")
    daemon = start(_read(example.name))
    assert daemon.addresses()


@pytest.mark.parametrize(
    ("name", "server", "ask_it"),
    [("tcp-round-robin.toml", Echo, ask), ("udp-round-robin.toml", UdpEcho, ask_udp)],
)
def test_three_servers_answer_in_turn(
    start: Start, name: str, server: type[Echo] | type[UdpEcho], ask_it: Callable[[Address], str]
) -> None:
    text = _read(name)
    ports = re.findall(r'"127\.0\.0\.1:(\d+)"', text)
    assert len(ports) == 3
    with ExitStack() as servers:
        for port in ports:
            servers.enter_context(server(port, Inet(LOOPBACK, int(port))))
        daemon = start(text)
        address = Inet(LOOPBACK, port_of(daemon.address()))
        answered = Counter(ask_it(address) for _ in range(CLIENTS))
    assert set(answered) == set(ports)
    # Each worker goes round by itself, and may have stopped anywhere in its round.
    assert max(answered.values()) - min(answered.values()) <= WORKERS


@needs("initdb", "postgres", "psql")
def test_psql_speaks_to_the_primary_of_the_postgresql_example(start: Start, postgresql: PostgreSQL) -> None:
    text = _replaced(_read("postgresql.toml"), "10.0.0.1:5432", str(postgresql.address))
    assert _psql(start(text).address()) == "42\n"


@needs("initdb", "postgres", "psql")
def test_psql_speaks_to_the_standby_while_the_primary_is_out_of_reach(start: Start, postgresql: PostgreSQL) -> None:
    text = _replaced(_read("postgresql.toml"), "10.0.0.1:5432", f"{LOOPBACK}:{free_port()}")
    text = _replaced(text, "10.0.0.2:5432", str(postgresql.address))
    assert _psql(start(text).address()) == "42\n"


def _psql(address: Address) -> str:
    return run("psql", "-X", "-A", "-t", "-c", "select 6 * 7", conninfo(address))


def _read(name: str) -> str:
    """The example, with another port for each on this machine that is taken."""
    text = (EXAMPLES / name).read_text("utf-8")
    for place in sorted(set(re.findall(r'"(?:0\.0\.0\.0|127\.0\.0\.1|\*):\d+"', text))):
        host, _, port = place.strip('"').rpartition(":")
        if not (_is_free(int(port), SOCK_STREAM) and _is_free(int(port), SOCK_DGRAM)):
            text = _replaced(text, place, f'"{host}:{free_port_of_both()}"')
    return text


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def _is_taken(lock: socket, name: str) -> bool:
    """Whether we hold the lock now. It is given up with its socket."""
    with suppress(OSError):
        lock.bind(name)
        return True
    return False


def _is_free(port: int, kind: SocketKind) -> bool:
    """Whether nobody serves this port, on whatever address."""
    with socket(type=kind) as probe:
        probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, kind is SOCK_STREAM)  # connections that are over do not count
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
