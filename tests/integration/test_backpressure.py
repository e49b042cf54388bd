"""A slow reader slows its own writer down, costs bounded memory, and nobody else notices."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit import Client, Peer, Server, Start
from tests.kit.measure import median_answer, resident_memory, send_until_full

MEGABYTE = bytes(range(256)) * 4096
SIZE = 100

each_relay = pytest.mark.parametrize("relay", ["copy", "splice", "auto"])


@each_relay
def test_100_megabytes_to_a_client_that_reads_byte_by_byte_cost_a_worker_less_than_two(
    start: Start, server: Server, relay: str
) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    [worker] = daemon.workers()
    with daemon.client() as client, server.accept() as peer:
        client.send(b"?").socket.settimeout(60)
        assert peer.read(1) == b"?"
        before = resident_memory(worker)
        sent = send_until_full(peer, MEGABYTE * SIZE)  # both kernels may hold net.ipv4.tcp_rmem's most, say 32 MB
        client_has = bytearray()
        for _ in range(5):
            client_has += client.read(1)
            assert resident_memory(worker) - before < 2 << 20

        def send_the_rest() -> str:
            peer.socket.settimeout(60)
            whole = MEGABYTE * SIZE
            digest = hashlib.sha256(whole)
            for begin in range(sent, len(whole), len(MEGABYTE)):
                peer.send(whole[begin : begin + len(MEGABYTE)])
            peer.finish()
            return digest.hexdigest()

        with ThreadPoolExecutor() as threads:
            sending = threads.submit(send_the_rest)
            digest, most = hashlib.sha256(client_has), 0
            size = len(client_has)
            while chunk := client.socket.recv(1 << 20):
                digest.update(chunk)
                size += len(chunk)
                most = max(most, resident_memory(worker))
            assert size == SIZE << 20
            assert digest.hexdigest() == sending.result()
        assert most - before < 2 << 20


@each_relay
def test_a_server_that_does_not_read_holds_its_client(start: Start, server: Server, relay: str) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    [worker] = daemon.workers()
    before = resident_memory(worker)
    with daemon.client() as client, server.accept() as peer:
        data = MEGABYTE * SIZE
        sent = send_until_full(client, data)
        assert resident_memory(worker) - before < 2 << 20
        client.finish()
        assert peer.read_all() == data[:sent]


@each_relay
def test_a_hundred_slow_readers_slow_nobody_else_down(start: Start, server: Server, relay: str) -> None:
    daemon = start(f"""
        [main]
        workers = 1

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"
        send_buffer = "64k"
        receive_buffer = "64k"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    [worker] = daemon.workers()
    with daemon.client() as client, server.accept() as peer, ThreadPoolExecutor() as threads:
        echoing = threads.submit(echo, peer)
        undisturbed = median_answer(client)
        before = resident_memory(worker)
        slow = [Client(daemon.address(), receive_buffer=4096) for _ in range(100)]
        talkers = [server.accept() for _ in slow]
        for talker in talkers:
            talker.socket.setblocking(False)
            fill(talker)
        assert median_answer(client) < 3 * undisturbed + 0.002
        assert resident_memory(worker) - before < 100 * (80 << 10)  # one buffer each, and what keeps it
        client.finish()
        echoing.result()
        for each in (*slow, *talkers):
            each.close()


def echo(peer: Peer) -> None:
    while data := peer.socket.recv(1 << 16):
        peer.send(data)


def fill(peer: Peer) -> None:
    """Send until the kernel takes no more just now."""
    try:
        while True:
            peer.socket.send(MEGABYTE)
    except BlockingIOError:
        return
