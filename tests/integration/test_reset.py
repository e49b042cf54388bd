"""A reset of one side reaches the other as a reset, after everything that was sent before it."""

import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.kit import Client, Daemon, Peer, Server, Start, wait_until
from tests.kit.awkward import FullServer
from tests.kit.measure import cpu_seconds, send_until_full, unacknowledged, wait_until_acknowledged

MEGABYTE = bytes(range(256)) * 4096
QUESTION = b"?" * 100_000
CLIENTS = 200
AT_ONCE = 8

each_relay = pytest.mark.parametrize("relay", ["auto", "copy", "splice"])


@pytest.fixture
def talkative(start: Start, server: Server) -> Daemon:
    """l4d in front of `server`, telling how each session ended."""
    return start(f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """)


def test_a_clients_reset_reaches_the_server_as_a_reset(talkative: Daemon, server: Server) -> None:
    with talkative.client() as client, server.accept() as peer:
        client.send(b"hello")
        assert peer.read(5) == b"hello"
        client.reset()
        assert peer.is_reset()
    talkative.wait_log("end=CD client reset")


def test_a_servers_reset_reaches_the_client_as_a_reset(talkative: Daemon, server: Server) -> None:
    with talkative.client() as client, server.accept() as peer:
        peer.send(b"hello")
        assert client.read(5) == b"hello"
        peer.reset()
        assert client.is_reset()
    talkative.wait_log("end=SD server reset")


def test_a_clients_reset_after_the_servers_fin_is_a_reset_too(talkative: Daemon, server: Server) -> None:
    with talkative.client() as client, server.accept() as peer:
        peer.finish()
        assert client.read_all() == b""
        client.reset()
        assert peer.is_reset()
    talkative.wait_log("end=CL client reset while the last data passed")


def test_a_servers_reset_after_the_clients_fin_is_a_reset_too(talkative: Daemon, server: Server) -> None:
    with talkative.client() as client, server.accept() as peer:
        client.finish()
        assert peer.read_all() == b""
        peer.reset()
        assert client.is_reset()
    talkative.wait_log("end=SL server reset while the last data passed")


def test_a_clients_reset_after_its_own_fin_is_seen_though_the_server_is_silent(
    talkative: Daemon, server: Server
) -> None:
    with talkative.client() as client, server.accept() as peer:
        client.finish()
        assert peer.read_all() == b""
        client.reset()
        assert is_soon_reset(peer)
    talkative.wait_log("end=CL")


def test_a_servers_reset_after_its_own_fin_is_seen_though_the_client_is_silent(
    talkative: Daemon, server: Server
) -> None:
    with talkative.client() as client, server.accept() as peer:
        peer.finish()
        assert client.read_all() == b""
        peer.reset()
        assert is_soon_reset(client)
    talkative.wait_log("end=SL")


def test_a_fin_is_never_taken_for_a_reset(talkative: Daemon, server: Server) -> None:
    with talkative.client() as client, server.accept() as peer:
        client.finish()
        assert not peer.is_reset()
        peer.finish()
        assert not client.is_reset()


@each_relay
def test_what_a_client_sent_before_its_reset_reaches_a_slow_server(start: Start, server: Server, relay: str) -> None:
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"
        send_buffer = "16k"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    data = MEGABYTE * 96
    with daemon.client() as client, server.accept() as peer:
        arrived = send_until_full(client, data) - unacknowledged(client)
        assert arrived > 100_000  # far more than the server has taken: the rest waits in l4d
        client.reset()
        assert read_until_reset(peer) == data[:arrived]


@each_relay
def test_what_a_server_sent_before_its_reset_reaches_a_slow_client(start: Start, server: Server, relay: str) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"
        send_buffer = "16k"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    data = MEGABYTE * 96
    with Client(daemon.address(), receive_buffer=8192) as client, server.accept() as peer:
        arrived = send_until_full(peer, data) - unacknowledged(peer)
        assert arrived > 100_000
        peer.reset()
        assert read_until_reset(client) == data[:arrived]


@each_relay
def test_every_client_gets_the_whole_answer_of_a_server_that_leaves_its_question_unread(
    start: Start, server: Server, relay: str
) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"

        [upstreams.web]
        servers = ["{server.address}"]
    """)

    def ask(_: int) -> bool:
        with daemon.client() as client:
            client.send(QUESTION)
            return read_until_reset(client) == MEGABYTE

    with ThreadPoolExecutor(2 * AT_ONCE) as threads:
        answering = [threads.submit(answer_without_reading, server) for _ in range(AT_ONCE)]
        whole = list(threads.map(ask, range(CLIENTS)))
        for each in answering:
            each.result()
    assert whole.count(True) == CLIENTS


def test_what_a_server_said_is_delivered_however_soon_it_resets(start: Start, server: Server) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
        max_fails = 1
    """)
    for _ in range(20):
        with daemon.client() as client:
            peer = server.accept().send(b"too many connections\n")
            wait_until_acknowledged(peer)
            peer.reset()  # often before l4d has seen that its dial was answered
            assert read_until_reset(client) == b"too many connections\n"
    assert "is out" not in daemon.log()


@each_relay
def test_a_slow_client_gets_the_whole_answer_of_a_server_long_gone(start: Start, server: Server, relay: str) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"
        receive_buffer = "2m"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    for _ in range(5):
        with Client(daemon.address(), receive_buffer=4096) as client:
            client.send(QUESTION)
            answer_without_reading(server, sessions=1)
            assert read_until_reset(client) == MEGABYTE


def test_a_client_may_take_long_for_the_last_data_as_long_as_it_takes_some(start: Start, server: Server) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        send_buffer = "512k"
        half_close_timeout = "500ms"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with Client(daemon.address(), receive_buffer=8192) as client, server.accept() as peer:
        arrived = send_until_full(peer, MEGABYTE * 96) - unacknowledged(peer)
        peer.reset()
        data, begun = bytearray(), time.monotonic()
        for step in range(20):  # over three times half_close_timeout
            wait_until("it is time for some more", partial(has_come, begun + step / 13))
            data += client.read(arrived // 20)
        data += read_until_reset(client)
        assert data == (MEGABYTE * 96)[:arrived]


def test_clients_that_do_not_take_the_last_data_cost_no_time(start: Start, server: Server) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        send_buffer = "16k"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    [worker] = daemon.workers()
    clients = []
    for _ in range(500):
        clients.append(Client(daemon.address(), receive_buffer=4096))
        peer = server.accept().send(MEGABYTE[:20_000])
        wait_until_acknowledged(peer)
        peer.reset()
    assert not is_soon_reset(clients[0], within=1.5)
    before = cpu_seconds(worker)
    assert not is_soon_reset(clients[0], within=1)
    assert cpu_seconds(worker) - before < 0.1
    for client in clients:
        assert client.read(20_000) == MEGABYTE[:20_000]
    for client in clients:
        assert read_until_reset(client) == b""
        client.close()


def test_a_client_that_resets_while_its_server_is_dialled_ends_the_session(start: Start) -> None:
    with FullServer() as silent:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{silent.address}"]
        """)
        daemon.client().reset()
        daemon.wait_log("end=CC client left while connecting")


def is_soon_reset(peer: Peer, within: float = 5) -> bool:
    """Whether the connection is reset, to be seen without reading: for a FIN, or data, may have come before."""
    poll = select.poll()
    poll.register(peer.socket, 0)
    return any(mask & select.POLLERR for _, mask in poll.poll(within * 1000))


def has_come(moment: float) -> bool:
    return time.monotonic() >= moment


def answer_without_reading(server: Server, sessions: int = CLIENTS // AT_ONCE) -> None:
    """Read the first bytes of a question, answer at length, and close with the rest unread: a reset."""
    for _ in range(sessions):
        with server.accept() as peer:
            peer.read(10)
            peer.send(MEGABYTE)
            # What the proxy's kernel has is the proxy's to deliver. A reset takes along what it has not.
            wait_until_acknowledged(peer)
            assert peer.waiting(), "the question should not have been read"


def read_until_reset(peer: Peer) -> bytes:
    """Everything that arrives before the connection is reset, which it must be."""
    data = bytearray()
    try:
        while chunk := peer.socket.recv(1 << 16):
            data += chunk
    except ConnectionResetError:
        return bytes(data)
    raise AssertionError(f"FIN instead of RST after {len(data)} bytes")


def test_a_client_that_resets_while_its_server_reads_nothing_is_gone_within_half_close_timeout(
    start: Start, server: Server
) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        half_close_timeout = "300ms"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept():
        send_until_full(client, bytes(96 << 20))
        client.reset()
        daemon.wait_log("end=CD client reset")
