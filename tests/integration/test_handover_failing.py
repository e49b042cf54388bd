"""What goes wrong while sessions move costs none but those of a worker that was killed."""

import os
import time
from collections.abc import Iterator
from resource import RLIMIT_NOFILE, prlimit
from signal import SIGCONT, SIGHUP, SIGKILL, SIGQUIT, SIGSTOP

import pytest

from l4d.stats import catalogue
from tests.kit import Daemon, Echo, Start, UdpEcho, descriptors, is_alive, wait_until
from tests.kit.board import BoardOf
from tests.kit.crowd import Crowd
from tests.kit.echo import lives
from tests.kit.measure import status
from tests.kit.rights import needs_root
from tests.kit.wait import TIMEOUT

SESSIONS = 2000

CHUNK = 24
"""Sessions that move together."""


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


def web(echo: Echo, main: str = "") -> str:
    return f"""
        [main]
        workers = 1
        {main}

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{echo.address}"]
    """


def reload_until_some_have_moved(daemon: Daemon, board: BoardOf) -> int:
    """HUP, until the new worker has taken some sessions, and not all: its pid."""
    [old] = daemon.workers()
    before = moved(board)
    daemon.signal(SIGHUP)
    [new] = wait_until("there is a new worker", lambda: set(daemon.workers()) - {old})
    deadline = time.monotonic() + TIMEOUT
    while moved(board) == before:  # without a pause, in which all could move
        assert time.monotonic() < deadline, "nothing has moved"
    return new


def moved(board: BoardOf) -> int:
    return board.total(catalogue.HANDED_OVER, "tcp")


def freeze(pid: int) -> None:
    os.kill(pid, SIGSTOP)
    wait_until("it stands still", lambda: status(pid, "State").startswith("T"))


def is_counted(board: BoardOf, sessions: int) -> None:
    wait_until(f"{sessions} are counted", lambda: board.total(catalogue.SESSIONS, "web") == sessions)


# Killed


@needs_root
def test_a_new_worker_that_is_killed_costs_only_what_it_had_taken(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    [old] = daemon.workers()
    with BoardOf(daemon) as board, Crowd("tcp", daemon.address(), SESSIONS) as crowd:
        assert crowd.answered() == SESSIONS
        new = reload_until_some_have_moved(daemon, board)
        freeze(new)
        taken = moved(board)
        assert 0 < taken < SESSIONS
        os.kill(new, SIGKILL)
        wait_until("the old worker has given all to another one", lambda: not is_alive(old))
        left = crowd.greet()
        assert SESSIONS - taken <= left <= SESSIONS - taken + CHUNK
        is_counted(board, left)
        daemon.hand_over()
        assert crowd.greet() == left
        is_counted(board, left)
        assert board.total(catalogue.SESSIONS_TOTAL, "web") == SESSIONS


@needs_root
def test_an_old_worker_that_is_killed_costs_only_what_was_not_taken(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    [old] = daemon.workers()
    with BoardOf(daemon) as board, Crowd("tcp", daemon.address(), SESSIONS) as crowd:
        assert crowd.answered() == SESSIONS
        reload_until_some_have_moved(daemon, board)
        os.kill(old, SIGKILL)
        daemon.wait_log("took over ")
        taken = moved(board)
        assert 0 < taken < SESSIONS
        assert crowd.greet() == taken
        is_counted(board, taken)
        daemon.hand_over()
        assert crowd.greet() == taken


# Frozen


@needs_root
def test_a_new_worker_that_stands_still_for_a_second_goes_on_where_it_was(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    [old] = daemon.workers()
    with BoardOf(daemon) as board, Crowd("tcp", daemon.address(), SESSIONS) as crowd:
        assert crowd.answered() == SESSIONS
        new = reload_until_some_have_moved(daemon, board)
        freeze(new)
        time.sleep(1)
        assert 0 < moved(board) < SESSIONS
        os.kill(new, SIGCONT)
        wait_until("the old worker is gone", lambda: not is_alive(old))
        assert crowd.greet() == moved(board) == SESSIONS
        is_counted(board, SESSIONS)


@needs_root
@pytest.mark.parametrize("whom", ["old", "new"])
def test_no_session_is_in_two_places_when_a_reload_meets_a_worker_that_stands_still(
    start: Start, echo: Echo, whom: str
) -> None:
    daemon = start(web(echo))
    [old] = daemon.workers()
    with BoardOf(daemon) as board, Crowd("tcp", daemon.address(), SESSIONS) as crowd:
        assert crowd.answered() == SESSIONS
        new = reload_until_some_have_moved(daemon, board)
        frozen = old if whom == "old" else new
        freeze(frozen)
        daemon.wait_log("ready: generation 2")
        daemon.signal(SIGHUP)  # it may have to wait for the one that stands still
        wait_until("what is not stuck has moved", lambda: settled(board))
        os.kill(frozen, SIGCONT)
        daemon.wait_log("ready: generation 3")
        wait_until("the old workers are gone", lambda: not is_alive(old) and not is_alive(new))
        assert crowd.greet() == SESSIONS
        is_counted(board, SESSIONS)
        [last] = daemon.workers()
        wait_until("nothing is kept twice", lambda: descriptors(last) < 2 * SESSIONS + 100)
        daemon.hand_over()
        assert crowd.greet() == SESSIONS


def settled(board: BoardOf) -> bool:
    """Whether nothing moves for a while."""
    before = moved(board)
    time.sleep(0.3)
    return moved(board) == before


# No room


def test_what_does_not_fit_into_the_new_worker_stays_until_it_does(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    [old] = daemon.workers()
    with Crowd("tcp", daemon.address(), 400) as crowd:
        assert crowd.answered() == 400
        daemon.reload(web(echo, "rlimit_nofile = 500"))
        [new] = daemon.workers()
        wait_until("the new one is full", lambda: descriptors(new) > 250)
        assert crowd.greet() == 400
        assert is_alive(old)
        assert descriptors(old) > 100
        assert crowd.greet(leaving=250) == 150
        wait_until("the others have moved", lambda: not is_alive(old))
        assert crowd.greet() == 150
        with daemon.client() as client:
            assert client.send(b"?").read(1) == b"?"


def test_what_does_not_fit_finds_room_in_a_later_generation(start: Start, echo: Echo) -> None:
    daemon = start(web(echo, "rlimit_nofile = 2000"))
    [old] = daemon.workers()
    with Crowd("tcp", daemon.address(), 400) as crowd:
        assert crowd.answered() == 400
        daemon.reload(web(echo, "rlimit_nofile = 500"))
        [new] = daemon.workers()
        wait_until("the new one is full", lambda: descriptors(new) > 250)
        daemon.reload(web(echo, "rlimit_nofile = 2000"))
        wait_until("all have moved", lambda: not is_alive(old) and not is_alive(new))
        assert crowd.greet() == 400


def test_a_smaller_max_sessions_of_the_new_file_turns_nobody_out(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    [old] = daemon.workers()
    with Crowd("tcp", daemon.address(), 100) as crowd:
        assert crowd.answered() == 100
        daemon.hand_over(web(echo, "max_sessions = 50"))
        assert not is_alive(old)
        assert crowd.greet() == 100
        with daemon.client() as newcomer:
            newcomer.send(b"?")
            assert crowd.greet(leaving=49) == 51
            assert newcomer.waiting() == 0
            assert crowd.greet(leaving=2) == 49
            assert newcomer.read(1) == b"?"


def test_a_worker_that_has_no_number_for_a_link_keeps_its_sessions(start: Start, echo: Echo) -> None:
    daemon = start(web(echo))
    with daemon.client() as client:
        assert lives(client)
        [old] = daemon.workers()
        prlimit(old, RLIMIT_NOFILE, (1, 1024))
        daemon.reload()
        daemon.wait_log("no descriptor is left")
        assert is_alive(old)
        assert lives(client)
    wait_until("it has left", lambda: not is_alive(old))


def test_flows_that_come_after_a_quit_are_heard(start: Start) -> None:
    with UdpEcho() as echo:
        daemon = start(f"""
            main.workers = 1
            listeners.dns = {{ bind = "127.0.0.1:0", protocol = "udp", upstream = "dns" }}
            upstreams.dns.servers = ["{echo.address}"]
        """)
        with daemon.udp_client() as client:
            assert client.send(b"1").receive() == b"1"
            [old] = daemon.workers()
            freeze(old)
            daemon.reload()
            daemon.signal(SIGQUIT)
            daemon.wait_log("stopping gracefully")
            os.kill(old, SIGCONT)
            wait_until("the flow has moved", lambda: not is_alive(old))
            assert client.send(b"2").receive() == b"2"
