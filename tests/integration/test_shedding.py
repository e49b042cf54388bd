"""With fewer workers than before, the sockets of those that were given up are closed, and no client is reset."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from signal import SIGCONT, SIGHUP, SIGKILL

import pytest

from l4d.address import Address
from l4d.linux.steering import slot_of
from l4d.master.shedding import LOOK
from tests.kit import Client, Daemon, Echo, Server, Start, UdpEcho, UdpServer, descriptors, wait_until
from tests.kit.processes import children, freeze
from tests.kit.udp import UdpClient
from tests.kit.visitors import Visitors

SOON = 3.5 * LOOK
"""So long after the workers of before are gone all is closed, where nobody is waited for."""


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo("one") as echo:
        yield echo


@pytest.fixture
def udp_echo() -> Iterator[UdpEcho]:
    with UdpEcho("one") as echo:
        yield echo


def both(workers: int, tcp: Echo, udp: UdpEcho | UdpServer, main: str = "", web: str = "") -> str:
    """A configuration with a TCP and a UDP listener."""
    return f"""
        [main]
        workers = {workers}
        {main}

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        {web}

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.web]
        servers = ["{tcp.address}"]

        [upstreams.dns]
        servers = ["{udp.address}"]
    """


def closed(count: int) -> str:
    """What the log says of it."""
    return f"closed {count} listening sockets"


def held(daemon: Daemon) -> tuple[int, list[int]]:
    """The descriptors of the master, and of each worker."""
    return descriptors(daemon.master), [descriptors(worker) for worker in daemon.workers()]


def assert_each_slot_has_its_clients(daemon: Daemon, workers: int) -> None:
    """A worker has as many sessions as its slot has clients, and none has none."""
    wait_until("all are there", lambda: len(daemon.workers()) == workers)
    with ExitStack() as stack:
        slots = crowd_in(stack, lambda: daemon.client("web"), workers)
        during = {worker: descriptors(worker) for worker in daemon.workers()}
    expected = sorted(2 * count for count in slots.values())
    # Compared with afterwards: others may have been leaving before.
    wait_until("they have left", lambda: sorted(held - descriptors(one) for one, held in during.items()) == expected)
    before = {worker: descriptors(worker) for worker in daemon.workers()}
    with ExitStack() as stack:
        slots = crowd_in(stack, lambda: daemon.udp_client("dns"), workers)
        assert sorted(descriptors(one) - held for one, held in before.items()) == sorted(slots.values())


def crowd_in(stack: ExitStack, come: Callable[[], Client | UdpClient], workers: int) -> Counter[int]:
    """Clients for every slot, served and staying: how many each has."""
    slots: Counter[int] = Counter()
    while len(slots) < workers or slots.total() < 40:
        client = come()
        stack.enter_context(client)
        client.send(b"1\n")
        assert client.socket.recv(100) == b"one 1\n"
        slots[slot_of(client.socket.getsockname(), workers)] += 1
    return slots


# All is closed


def test_descriptors_return_to_what_they_were(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(both(2, echo, udp_echo))
    before = held(daemon)
    daemon.hand_over(both(8, echo, udp_echo))
    daemon.hand_over(both(2, echo, udp_echo))
    daemon.wait_log(closed(12))
    wait_until("descriptors are as they were", lambda: held(daemon) == before)
    assert_each_slot_has_its_clients(daemon, 2)


def test_nobody_is_refused_or_reset_while_workers_come_and_go(start: Start, echo: Echo) -> None:
    with UdpServer() as server, ExitStack() as stack:
        daemon = start(both(1, echo, server))
        flows = [stack.enter_context(daemon.udp_client("dns")) for _ in range(30)]
        ports = [port_of(flow, server) for flow in flows]
        with Visitors(daemon, at_once=8) as visitors:  # 500 a second and more
            for workers, given_up in ((8, 0), (1, 14), (4, 0), (2, 4)):
                daemon.hand_over(both(workers, echo, server))
                visitors.wait(300)
                assert [port_of(flow, server) for flow in flows] == ports
                if given_up:
                    daemon.wait_log(closed(given_up))
                visitors.wait(300)
                assert [port_of(flow, server) for flow in flows] == ports
        assert not visitors.failures
        assert set(visitors.answers) == {"one"}


def port_of(flow: UdpClient, server: UdpServer) -> Address:
    """From where its datagrams come to the server, which answers."""
    flow.send(b"question")
    datagram = server.receive()
    datagram.answer(b"answer")
    assert flow.receive() == b"answer"
    return datagram.sender


# Who is waited for


def test_who_waits_in_the_queue_of_a_worker_that_is_given_up_is_served(
    start: Start, echo: Echo, udp_echo: UdpEcho
) -> None:
    daemon = start(both(8, echo, udp_echo))
    for worker in (old := daemon.workers()):
        freeze(worker)
    with ExitStack() as stack:
        clients = [stack.enter_context(daemon.client("web")) for _ in range(40)]
        daemon.reload(both(2, echo, udp_echo))
        for client in clients:
            assert client.send(b"1\n").read_line() == b"one 1\n"
        time.sleep(SOON)
        assert closed(12) not in daemon.log(), "those who stand still have copies"
        for worker in old:
            os.kill(worker, SIGCONT)
        daemon.wait_log(closed(12))
        for client in clients:
            assert client.send(b"2\n").read_line() == b"one 2\n"


def test_a_handshake_that_began_before_is_waited_for(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    def config(workers: int) -> str:
        return both(workers, echo, udp_echo, web="defer_accept = true")

    daemon = start(config(8))
    with ExitStack() as stack:
        clients = [stack.enter_context(daemon.client("web")) for _ in range(40)]
        daemon.hand_over(config(2))
        time.sleep(SOON)
        for client in clients:
            assert client.send(b"1\n").read_line() == b"one 1\n"
        daemon.wait_log(closed(12))
        for client in clients:
            assert client.send(b"2\n").read_line() == b"one 2\n"


def test_without_handing_over_the_workers_of_before_are_waited_for(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(both(4, echo, udp_echo, main="handover = false"))
    with daemon.client("web") as client:
        assert client.send(b"1\n").read_line() == b"one 1\n"
        daemon.reload(both(1, echo, udp_echo, main="handover = false"))
        time.sleep(SOON)
        assert client.send(b"2\n").read_line() == b"one 2\n"
        assert closed(6) not in daemon.log()
    daemon.wait_log(closed(6))
    assert_each_slot_has_its_clients(daemon, 1)


# What comes between


def test_workers_that_come_back_take_their_sockets_up_again(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(both(8, echo, udp_echo))
    with Visitors(daemon) as visitors:
        daemon.hand_over(both(2, echo, udp_echo))
        daemon.hand_over(both(6, echo, udp_echo))
        visitors.wait(100)
    assert not visitors.failures
    assert_each_slot_has_its_clients(daemon, 6)
    daemon.wait_log(closed(4))
    assert daemon.log().count("listening sockets of slots") == 1


def test_a_reload_in_between_begins_the_waiting_anew(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(both(8, echo, udp_echo))
    with Visitors(daemon) as visitors:
        for workers in (2, 2, 3):
            daemon.hand_over(both(workers, echo, udp_echo))
        daemon.wait_log(closed(10))
        visitors.wait(100)
    assert not visitors.failures
    assert daemon.log().count("listening sockets of slots") == 1
    daemon.hand_over(both(5, echo, udp_echo))
    assert_each_slot_has_its_clients(daemon, 5)


def test_a_reload_while_one_worker_has_shed_its_copies_and_another_has_not(
    start: Start, echo: Echo, udp_echo: UdpEcho
) -> None:
    daemon = start(both(8, echo, udp_echo))
    daemon.hand_over(both(2, echo, udp_echo))
    slow, quick = daemon.workers()
    freeze(slow)
    before = descriptors(quick)
    wait_until("one has closed its copies", lambda: descriptors(quick) == before - 3)
    with ExitStack() as stack:
        clients = [stack.enter_context(daemon.client("web")) for _ in range(20)]
        daemon.reload(both(6, echo, udp_echo))
        os.kill(slow, SIGCONT)
        for client in clients:
            assert client.send(b"1\n").read_line() == b"one 1\n"
    daemon.wait_log("generation 2 is gone")
    assert_each_slot_has_its_clients(daemon, 6)
    daemon.wait_log(closed(4))


@pytest.mark.parametrize("comes_about", [True, False])
def test_nothing_is_closed_under_a_generation_that_starts(
    start: Start, echo: Echo, udp_echo: UdpEcho, server: Server, comes_about: bool
) -> None:
    unanswered = f"""
        [upstreams.slow]
        servers = ["{server.address}"]
        check = {{ type = "http", timeout = "10s" }}
    """
    daemon = start(both(8, echo, udp_echo))
    daemon.hand_over(both(2, echo, udp_echo))
    before = children(daemon.pid)
    daemon.write(both(6, echo, udp_echo) + unanswered)  # so it takes LOOK_TIMEOUT to start
    daemon.signal(SIGHUP)
    wait_until("its workers are born", lambda: len(children(daemon.pid)) == len(before) + 7)
    if comes_about:
        daemon.wait_log("generation 2 is gone")
    else:
        time.sleep(SOON - LOOK)
        os.kill(max(daemon.workers()), SIGKILL)
        daemon.wait_log("generation 3 is gone")
    assert "listening sockets of slots" not in daemon.log()
    daemon.wait_log(closed(4 if comes_about else 12))
    assert_each_slot_has_its_clients(daemon, 6 if comes_about else 2)


def test_the_next_program_sheds_what_the_last_one_did_not(start: Start, echo: Echo, udp_echo: UdpEcho) -> None:
    daemon = start(both(2, echo, udp_echo))
    before = held(daemon)
    daemon.hand_over(both(8, echo, udp_echo))
    with Visitors(daemon) as visitors:
        daemon.hand_over(both(2, echo, udp_echo))
        daemon.upgrade()
        daemon.wait_log(closed(12))
        visitors.wait(100)
    assert not visitors.failures
    log = daemon.log()
    assert log.count("listening sockets of slots") == 1
    assert log.index("upgraded") < log.index(closed(12))
    wait_until("the clients have left", lambda: held(daemon)[1] == before[1])
    assert_each_slot_has_its_clients(daemon, 2)
    daemon.hand_over(both(5, echo, udp_echo))
    assert_each_slot_has_its_clients(daemon, 5)
