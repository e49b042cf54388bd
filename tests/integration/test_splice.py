"""Bulk moves over to splicing by itself, arrives the same, and leaves no pipe behind."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from l4d.linux.pipes import Pipes
from tests.kit import Daemon, Echo, Peer, Server, Start, descriptors, wait_until
from tests.kit.measure import pipes, send_until_full

RANDOM = random.Random(4).randbytes(8 << 20)


def serving(start: Start, server: Server | Echo, relay: str) -> Daemon:
    return start(f"""
        [main]
        workers = 1

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        relay = "{relay}"

        [upstreams.web]
        servers = ["{server.address}"]
    """)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.mark.parametrize(("relay", "ends"), [("splice", 2), ("copy", 0)])
def test_what_is_spliced_waits_in_a_pipe_for_its_reader(start: Start, server: Server, relay: str, ends: int) -> None:
    daemon = serving(start, server, relay)
    [worker] = daemon.workers()
    with daemon.client() as client, server.accept() as peer:
        sent = send_until_full(peer, RANDOM * 12)
        assert pipes(worker) == ends
        peer.finish()
        assert client.read_all() == (RANDOM * 12)[:sent]


def test_bulk_moves_over_to_splicing_by_itself(start: Start, echo: Echo) -> None:
    daemon = serving(start, echo, "auto")
    [worker] = daemon.workers()
    with daemon.client() as client, ThreadPoolExecutor() as threads:

        def move_some() -> int:
            sending = threads.submit(client.send, RANDOM)
            assert client.read(len(RANDOM)) == RANDOM
            sending.result()
            return pipes(worker)

        wait_until("pipes are used", move_some)


def test_small_messages_are_copied(start: Start, echo: Echo) -> None:
    daemon = serving(start, echo, "auto")
    [worker] = daemon.workers()
    with daemon.client() as client:
        for size in range(1, 2000):
            assert client.send(RANDOM[:size]).read(size) == RANDOM[:size]
    assert pipes(worker) == 0


@pytest.mark.parametrize("relay", ["auto", "splice", "copy"])
def test_bytes_are_the_same_both_ways_at_once(start: Start, server: Server, relay: str) -> None:
    daemon = serving(start, server, relay)
    with daemon.client() as client, server.accept() as peer, ThreadPoolExecutor() as threads:
        up = threads.submit(lambda: client.send(RANDOM).finish())
        down = threads.submit(lambda: peer.send(RANDOM[::-1]).finish())
        received = threads.submit(peer.read_all)
        assert client.read_all() == RANDOM[::-1]
        assert received.result() == RANDOM
        up.result()
        down.result()


@pytest.mark.parametrize("relay", ["auto", "splice"])
def test_bulk_and_small_messages_take_turns(start: Start, echo: Echo, relay: str) -> None:
    daemon = serving(start, echo, relay)
    rest = random.Random(5)
    with daemon.client() as client, ThreadPoolExecutor() as threads:
        for _ in range(6):
            begin = rest.randrange(1 << 20)
            bulk = RANDOM[begin : begin + (1 << 21)]
            sending = threads.submit(client.send, bulk)
            assert client.read(len(bulk)) == bulk
            sending.result()
            for _ in range(60):  # long enough to be small again
                size = rest.randrange(1, 500)
                assert client.send(bulk[:size]).read(size) == bulk[:size]


def test_pipes_are_shared_and_do_not_grow_with_the_sessions(start: Start, server: Server) -> None:
    daemon = serving(start, server, "splice")
    [worker] = daemon.workers()
    before = descriptors(worker)
    pairs = [(daemon.client(), server.accept()) for _ in range(30)]
    sent = [0] * 30

    def are_all_blocked() -> bool:
        for number, (_, peer) in enumerate(pairs):
            sent[number] += send_some(peer, RANDOM[sent[number] :])
        return pipes(worker) == 60

    wait_until("each session waits for its reader, with a pipe", are_all_blocked)
    for number, (client, peer) in enumerate(pairs):
        if number % 2:
            client.reset()  # with bytes in its pipe
        else:
            peer.finish()
            assert client.read_all() == RANDOM[: sent[number]]
            client.close()
        peer.close()
    wait_until("the pool keeps a few", lambda: descriptors(worker) == before + 2 * Pipes.KEPT)


def test_a_spliced_session_that_is_idle_holds_no_pipe(start: Start, server: Server) -> None:
    daemon = serving(start, server, "splice")
    [worker] = daemon.workers()
    pairs = [(daemon.client(), server.accept()) for _ in range(50)]
    for client, peer in pairs:
        peer.send(b"hello")
        assert client.read(5) == b"hello"
    assert pipes(worker) == 2, "one pipe serves all who do not wait"
    for client, peer in pairs:
        client.close()
        peer.close()


def send_some(peer: Peer, data: bytes) -> int:
    """Send until the kernel takes no more just now: how much it took."""
    peer.socket.setblocking(False)
    sent = 0
    try:
        while sent < len(data):
            sent += peer.socket.send(data[sent : sent + (1 << 20)])
    except BlockingIOError:
        pass
    peer.socket.settimeout(10)
    return sent
