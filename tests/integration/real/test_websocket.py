"""WebSockets: many small messages, one large one, and long silences in which only pings pass."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from l4d.address import Inet
from tests.kit import Daemon, Start
from tests.kit.programs import LOOPBACK, port_of


def _echo(connection: ServerConnection) -> None:
    with suppress(ConnectionClosedError):
        for message in connection:
            connection.send(message)


@pytest.fixture
def echo() -> Iterator[Inet]:
    """Where a WebSocket server sends every message back. Its own pings, one in 20 seconds, never come into it."""
    with serve(_echo, LOOPBACK, 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Inet(*server.socket.getsockname())
        server.shutdown()
        thread.join()


@pytest.fixture
def daemon(start: Start, echo: Inet) -> Daemon:
    """l4d in front of the WebSocket server, with little patience for silence."""
    return start(f"""
        [listeners.websocket]
        bind = "127.0.0.1:0"
        upstream = "websocket"
        idle_timeout = "1s"

        [upstreams.websocket]
        servers = ["{echo}"]
    """)


def _connect(daemon: Daemon) -> ClientConnection:
    sock = socket.create_connection((LOOPBACK, port_of(daemon.address())))
    return connect("ws://localhost/", sock=sock, compression=None, max_size=None)


def test_messages_of_every_size_come_back(daemon: Daemon) -> None:
    chance = random.Random(2)
    with _connect(daemon) as websocket:
        for _ in range(1000):
            message = chance.randbytes(chance.choice((0, 1, 125, 126, 3000, 65_535, 65_536)))
            websocket.send(message)
            assert websocket.recv() == message


def test_a_large_message_comes_back(daemon: Daemon) -> None:
    message = random.Random(2).randbytes(8 << 20)
    with _connect(daemon) as websocket:
        websocket.send(message)
        assert websocket.recv() == message


def test_pings_alone_keep_a_session_longer_than_idle_timeout(daemon: Daemon) -> None:
    with _connect(daemon) as websocket:
        for _ in range(4):
            with pytest.raises(TimeoutError):
                websocket.recv(timeout=0.6)  # nobody says anything
            assert websocket.ping().wait(timeout=1)
        websocket.send("still here")
        assert websocket.recv() == "still here"


def test_without_pings_a_silent_session_ends(daemon: Daemon) -> None:
    with _connect(daemon) as websocket, pytest.raises(ConnectionClosedError):
        websocket.recv(timeout=10)
