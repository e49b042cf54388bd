"""memcached, over TCP and over UDP on one port, spoken to in its own protocol.

A datagram begins with eight bytes: request, number of this datagram, how many there are, reserved; two bytes each
(memcached: doc/protocol.txt).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import Client, Daemon, Start, UdpClient, needs
from tests.kit.servers import Memcached

pytestmark = needs("memcached")

FRAME = struct.Struct("!HHHH")


@pytest.fixture
def memcached(tmp_path: Path) -> Iterator[Memcached]:
    with Memcached(tmp_path) as memcached:
        yield memcached


@pytest.fixture
def daemon(start: Start, memcached: Memcached) -> Daemon:
    """l4d in front of memcached."""
    return start(f"""
        [listeners.tcp]
        bind = "127.0.0.1:0"
        upstream = "memcached"

        [listeners.udp]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "memcached"

        [upstreams.memcached]
        servers = ["{memcached.address}"]
    """)


def test_values_are_set_and_got_over_tcp(daemon: Daemon) -> None:
    with daemon.client("tcp") as client:
        for size in (0, 1, 1000, 100_000, 1_000_000):
            value = bytes(i % 251 for i in range(size))
            assert _set(client, b"key", value) == b"STORED\r\n"
            assert _get(client, b"key") == value
        client.send(b"get nothing\r\n")
        assert client.read_line() == b"END\r\n"


def test_pipelined_requests_are_answered_in_order(daemon: Daemon) -> None:
    with daemon.client("tcp") as client:
        _set(client, b"count", b"0")
        client.send(b"incr count 1\r\n" * 2000)
        assert [int(client.read_line()) for _ in range(2000)] == list(range(1, 2001))


def test_a_value_set_over_udp_is_got_over_tcp(daemon: Daemon) -> None:
    with daemon.udp_client("udp") as datagrams, daemon.client("tcp") as stream:
        datagrams.send(FRAME.pack(7, 0, 1, 0) + b"set key 0 0 5\r\nvalue\r\n")
        assert datagrams.receive() == FRAME.pack(7, 0, 1, 0) + b"STORED\r\n"
        assert _get(stream, b"key") == b"value"


def test_a_value_of_many_datagrams_comes_back_whole(daemon: Daemon) -> None:
    value = bytes(i % 251 for i in range(50_000))
    with daemon.client("tcp") as stream:
        _set(stream, b"key", value)
    with daemon.udp_client("udp") as datagrams:
        datagrams.send(FRAME.pack(8, 0, 1, 0) + b"get key\r\n")
        assert _receive_parts(datagrams, 8) == b"VALUE key 0 50000\r\n" + value + b"\r\nEND\r\n"


def test_each_of_many_udp_clients_gets_its_own_answer(daemon: Daemon) -> None:
    with daemon.client("tcp") as stream:
        for number in range(50):
            _set(stream, b"key%d" % number, b"value%d" % number)
    clients = [daemon.udp_client("udp") for _ in range(50)]
    for number, client in enumerate(clients):
        client.send(FRAME.pack(number, 0, 1, 0) + b"get key%d\r\n" % number)
    for number, client in enumerate(clients):
        assert b"\r\nvalue%d\r\n" % number in _receive_parts(client, number)
        client.close()


def _set(client: Client, key: bytes, value: bytes) -> bytes:
    return client.send(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value)).read_line()


def _get(client: Client, key: bytes) -> bytes:
    header = client.send(b"get %s\r\n" % key).read_line()
    value = client.read(int(header.split()[3]))
    assert client.read(7) == b"\r\nEND\r\n"
    return value


def _receive_parts(client: UdpClient, request: int) -> bytes:
    """One answer of however many datagrams, put in order."""
    parts: dict[int, bytes] = {}
    expected = 1
    while len(parts) < expected:
        datagram = client.receive()
        of, number, expected, _ = FRAME.unpack_from(datagram)
        assert of == request
        parts[number] = datagram[FRAME.size :]
    return b"".join(parts[number] for number in range(expected))
