"""A protocol in which the server speaks first: MySQL's greeting, scripted. l4d dials without waiting for a byte.

The same with a real server: test_ssh.py.
"""

import time

import pytest

from tests.kit import Daemon, Server, Start

GREETING = (
    b"\x4a\x00\x00\x00"  # 74 bytes, packet 0
    b"\x0a8.0.36\x00"  # protocol 10, version
    b"\x2a\x00\x00\x00"  # connection 42
    b"01234567\x00\xff\xff\xff\x02\x00\xff\xdf\x15"  # first part of the challenge, capabilities, charset, status
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    b"0123456789ab\x00caching_sha2_password\x00"
)
LOGIN = b"\x06\x00\x00\x01\x8d\xa6\xff\x09nobody"
DENIED = b"\x09\x00\x00\x02\xff\x15\x04#28000"


@pytest.mark.parametrize("relay", ["auto", "copy", "splice"])
def test_the_greeting_arrives_before_the_client_has_sent_a_byte(start: Start, server: Server, relay: str) -> None:
    daemon = start(f"""
        [listeners.mysql]
        bind = "127.0.0.1:0"
        upstream = "mysql"
        relay = "{relay}"

        [upstreams.mysql]
        servers = ["{server.address}"]
    """)
    waited = []
    for _ in range(5):
        with daemon.client() as client, server.accept() as peer:
            greeted = time.monotonic()
            peer.send(GREETING)
            assert client.read(len(GREETING)) == GREETING
            waited.append(time.monotonic() - greeted)
            assert peer.waiting() == 0

            client.send(LOGIN)
            assert peer.read(len(LOGIN)) == LOGIN
            peer.send(DENIED).finish()
            assert client.read_all() == DENIED
    assert min(waited) < 0.05


def test_the_server_is_dialled_before_the_client_has_sent_a_byte(daemon: Daemon, server: Server) -> None:
    with daemon.client() as client, server.accept() as peer:
        peer.send(b"220 mail.example.test ESMTP\r\n")
        assert client.read_line() == b"220 mail.example.test ESMTP\r\n"
