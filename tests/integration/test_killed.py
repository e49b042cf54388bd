"""A worker is killed: its sessions end, nothing else does, and those who wait in its queues are served by the next."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from signal import SIGKILL

import pytest

from l4d.stats import catalogue
from tests.kit import Client, Daemon, Echo, Start, UdpClient, UdpEcho, descriptors, wait_until
from tests.kit.board import BoardOf
from tests.kit.echo import lives
from tests.kit.processes import freeze
from tests.kit.rights import needs_root
from tests.kit.wait import is_readable


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


def web(echo: Echo, workers: int = 2, max_sessions: int = 0) -> str:
    return f"""
        [main]
        workers = {workers}

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{{ address = "{echo.address}", max_sessions = {max_sessions} }}]
    """


def dns(*servers: UdpEcho) -> str:
    return f"""
        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.dns]
        balance = "hash"
        hash_key = "client_port"
        servers = {[str(server.address) for server in servers]}
    """


def kill(daemon: Daemon, *victims: int) -> None:
    """Until all of them are replaced."""
    number = len(daemon.workers())
    for victim in victims:
        os.kill(victim, SIGKILL)
    wait_until("they are replaced", lambda: len(set(daemon.workers()) - set(victims)) == number)


# What is lost


def test_a_killed_worker_takes_only_its_own_sessions_along(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    clients = [daemon.client() for _ in range(40)]
    assert all(lives(client) for client in clients)
    killed_at = time.monotonic()
    victim, other = daemon.workers()
    os.kill(victim, SIGKILL)
    wait_until("it is replaced", lambda: len(set(daemon.workers()) - {victim}) == 2)
    assert time.monotonic() - killed_at < 1
    assert other in daemon.workers()
    lost = [client for client in clients if not lives(client)]
    assert 0 < len(lost) < 40, "all sessions were in one worker, so nothing was shown"
    daemon.wait_log(f"(pid {victim}) was killed by SIGKILL; sessions lost with it: {len(lost)}")
    for client in clients:
        client.close()


def test_under_load_nobody_is_refused_while_a_worker_is_killed_and_replaced(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    killed = False

    def visit_until_killed_and_a_little_longer() -> int:
        lost = left = 0
        while not killed or left < 100:
            left += killed
            with daemon.client() as client:  # a refusal would be raised here
                lost += not lives(client)
        return lost

    with ThreadPoolExecutor() as threads:
        visitors = [threads.submit(visit_until_killed_and_a_little_longer) for _ in range(3)]
        wait_until("the visitors are at it", lambda: echo.served > 100)
        victim = daemon.workers()[0]
        os.kill(victim, SIGKILL)
        wait_until("it is replaced", lambda: len(set(daemon.workers()) - {victim}) == 2)
        killed = True
        lost = sum(visitor.result() for visitor in visitors)
    assert lost <= 3, "each visitor had one session at the most in the worker that was killed"


# Who waits


def test_connections_that_wait_in_a_dead_workers_queue_are_served_by_the_next(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    frozen = daemon.workers()[0]
    freeze(frozen)
    clients = [daemon.client().send(b"hello") for _ in range(40)]

    def are_all_of_the_other_worker_served() -> bool:
        return echo.served > 0 and sum(map(has_answer, clients)) == echo.served

    wait_until("the other worker has served its own", are_all_of_the_other_worker_served)
    assert 0 < echo.served < 40
    os.kill(frozen, SIGKILL)
    for client in clients:
        with client:
            assert client.read(5) == b"hello"


def test_datagrams_that_wait_in_a_dead_workers_queue_are_served_by_the_next(start: Start) -> None:
    with UdpEcho("one") as one, ExitStack() as stack:
        daemon = start(dns(one))
        frozen = daemon.workers()[0]
        freeze(frozen)
        clients = [stack.enter_context(daemon.udp_client()).send(b"%d" % number) for number in range(40)]

        def are_all_of_the_other_worker_answered() -> bool:
            return one.served > 0 and sum(is_readable(client.socket) for client in clients) == one.served

        wait_until("the other worker has served its own", are_all_of_the_other_worker_answered)
        assert 0 < one.served < 40
        os.kill(frozen, SIGKILL)
        assert [client.receive() for client in clients] == [b"one %d" % number for number in range(40)]
        assert one.served == 40


# What is kept


def test_hashing_gives_a_udp_client_to_the_same_server_again(start: Start) -> None:
    with ExitStack() as stack:
        daemon = start(dns(*(stack.enter_context(UdpEcho(name)) for name in "abc")))
        clients = [stack.enter_context(daemon.udp_client()) for _ in range(40)]
        before = [asks(client) for client in clients]
        assert set(before) == {b"a", b"b", b"c"}
        kill(daemon, *daemon.workers())
        assert [asks(client) for client in clients] == before


@needs_root
def test_no_counter_goes_back_and_what_died_is_no_longer_there(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    with BoardOf(daemon) as board, ExitStack() as stack:
        clients: list[Client] = []
        for begun in (20, 40, 60):
            clients += [stack.enter_context(daemon.client()) for _ in range(20)]
            alive = sum(map(lives, clients))
            assert 20 <= alive < 60
            assert board.total(catalogue.SESSIONS, "web") == alive
            kill(daemon, daemon.workers()[0])
            left = sum(map(lives, clients))
            assert left < alive
            assert board.total(catalogue.SESSIONS, "web") == left
            assert board.total(catalogue.SERVER_SESSIONS, "web", str(echo.address)) == left
            assert board.total(catalogue.SESSIONS_TOTAL, "web") == begun
            assert board.total(catalogue.BYTES, "web", "up") >= 4 * begun


def test_the_room_that_a_killed_worker_held_at_a_server_is_free_again(start: Start, echo: Echo) -> None:
    daemon = start(web(echo, workers=1, max_sessions=1))
    with daemon.client() as first:
        assert lives(first)
        with daemon.client() as second:
            assert not lives(second), "there is no room"
        kill(daemon, *daemon.workers())
        with daemon.client() as third:
            assert lives(third)


# What if they keep dying


def test_a_worker_that_keeps_dying_is_replaced_after_a_growing_pause(start: Start, echo: Echo) -> None:
    daemon = start(web(echo, workers=1))
    for _ in range(4):
        [worker] = wait_until("there is a worker", daemon.workers)
        os.kill(worker, SIGKILL)
        daemon.wait_log(f"(pid {worker}) was killed by SIGKILL")
    with daemon.client() as client:  # it waits for the next one
        assert lives(client)
    told = [line.partition("the next one starts in ")[2] for line in daemon.log().splitlines() if "keeps dying" in line]
    assert told == ["0.1 s", "0.2 s", "0.4 s"]


# What is left behind


def test_twenty_deaths_leave_no_descriptor_and_no_process_behind(start: Start, echo: Echo) -> None:
    daemon = start(web(echo, workers=10))
    before = descriptors(daemon.pid)
    for _ in range(2):
        clients = [daemon.client() for _ in range(20)]
        assert all(map(lives, clients))
        kill(daemon, *daemon.workers())
        for client in clients:
            with client:
                assert not lives(client)
    assert daemon.log().count("was killed by SIGKILL") == 20
    assert len(daemon.processes()) == 11
    assert descriptors(daemon.pid) == before
    with daemon.client() as client:
        assert lives(client)


def has_answer(client: Client) -> bool:
    return client.waiting() == 5


def asks(client: UdpClient) -> bytes:
    """The name of the server that answers."""
    return client.send(b"?").receive().removesuffix(b" ?")
