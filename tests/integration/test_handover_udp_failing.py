"""UDP clients of old workers that stand still, or are killed, while clients are steered to other slots."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from signal import SIGCONT, SIGHUP, SIGKILL, SIGSTOP

import pytest

from l4d.address import Address
from l4d.linux.steering import slot_of
from l4d.stats import catalogue
from tests.kit import Daemon, Start, is_alive, wait_until
from tests.kit.board import BoardOf
from tests.kit.measure import status
from tests.kit.mirror import Counter, Counters, Mirror
from tests.kit.rights import needs_root
from tests.kit.wait import TIMEOUT

FLOWS = 200

STANDSTILL = 2.0
"""Seconds for which a worker is frozen."""

PAUSE = 0.1
"""Seconds between two datagrams of a client."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as mirror:
        yield mirror


def dns(workers: int, server: Address) -> str:
    return f"""
        [main]
        workers = {workers}

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.dns]
        servers = ["{server}"]
    """


def with_flows(daemon: Daemon, stack: ExitStack) -> Counters:
    """Clients that all have been answered."""
    counters = stack.enter_context(Counters(daemon.address(), FLOWS))
    counters.send()
    wait_until("all have a flow", counters.answered)
    return counters


def of_slot(counters: Counters, slot: int) -> list[Counter]:
    """Those whom the first of two workers has, or the second."""
    return [one for one in counters.all if slot_of(one.client.socket.getsockname(), 2) == slot]


def freeze(pid: int) -> None:
    os.kill(pid, SIGSTOP)
    wait_until("it stands still", lambda: status(pid, "State").startswith("T"))


@pytest.mark.parametrize("workers", [1, 2, 6])
def test_an_old_worker_that_stands_still_for_two_seconds_costs_no_datagram(
    start: Start, mirror: Mirror, workers: int
) -> None:
    daemon = start(dns(2, mirror.address))
    _, frozen = daemon.workers()
    with ExitStack() as stack:
        counters = with_flows(daemon, stack)
        freeze(frozen)
        daemon.reload(dns(workers, mirror.address))
        for _ in range(int(STANDSTILL / PAUSE)):
            counters.send()
            counters.hear(PAUSE)
        os.kill(frozen, SIGCONT)
        while "generation 1 is gone" not in daemon.log():
            counters.send()
            counters.hear(PAUSE)
        wait_until("all are answered", counters.answered)
        assert [one for one in counters.all if not one.is_whole] == []


@needs_root
@pytest.mark.parametrize("amid", [False, True], ids=["all have moved", "amid the move"])
def test_an_old_worker_that_is_killed_while_another_stands_still_costs_only_what_had_not_moved(
    start: Start, mirror: Mirror, amid: bool
) -> None:
    """What is queued at its socket is read by a worker that is born for that, and passed on to all three."""
    daemon = start(dns(2, mirror.address))
    frozen, victim = daemon.workers()
    with ExitStack() as stack:
        board = stack.enter_context(BoardOf(daemon))
        counters = with_flows(daemon, stack)
        lasting, others = of_slot(counters, 0), of_slot(counters, 1)
        freeze(frozen)
        daemon.write(dns(3, mirror.address))
        daemon.signal(SIGHUP)
        until_moved(board, 1 if amid else len(others))
        freeze(victim)
        moved = board.total(catalogue.HANDED_OVER, "udp")
        os.kill(victim, SIGKILL)
        wait_until("it is gone", lambda: not is_alive(victim))
        counters.send()
        wait_until("its clients are answered", lambda: counters.answered(others))
        assert all(len(one.heard) == 1 for one in lasting)
        os.kill(frozen, SIGCONT)
        wait_until("all are answered", counters.answered)
        daemon.wait_log("generation 1 is gone")
        counters.send()
        wait_until("all are answered again", counters.answered)
        assert [one for one in lasting if not one.is_whole] == []
        assert [one.heard for one in others] == [[0, 1, 2]] * len(others)
        assert sum(one.is_whole for one in others) >= moved


@needs_root
def test_an_old_worker_that_is_killed_when_clients_are_steered_elsewhere_costs_no_order(
    start: Start, mirror: Mirror
) -> None:
    """All its flows have moved, and in its socket there is what came before the steering, for other slots now."""
    daemon = start(dns(2, mirror.address))
    frozen, victim = daemon.workers()
    with ExitStack() as stack:
        board = stack.enter_context(BoardOf(daemon))
        counters = with_flows(daemon, stack)
        others = of_slot(counters, 1)
        freeze(frozen)
        daemon.write(dns(3, mirror.address))
        daemon.signal(SIGHUP)
        until_moved(board, len(others))
        time.sleep(PAUSE)  # for the victim to say that all have moved
        freeze(victim)
        counters.send()
        os.kill(frozen, SIGCONT)
        wait_until("clients are steered, and one has let its sockets go", lambda: not is_alive(frozen))
        counters.send()
        os.kill(victim, SIGKILL)
        wait_until("all are answered", counters.answered)
        daemon.wait_log("generation 1 is gone")
        assert [one.heard for one in counters.all if not one.is_whole] == []


def until_moved(board: BoardOf, flows: int) -> None:
    """Until new workers have so many, without a pause, in which all could move."""
    deadline = time.monotonic() + TIMEOUT
    while board.total(catalogue.HANDED_OVER, "udp") < flows:
        assert time.monotonic() < deadline, "they do not move"
