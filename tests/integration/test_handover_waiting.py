"""Sessions without a server move too: those in the queue keep their place, those being dialled move when they can."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from l4d.stats import catalogue
from tests.kit import Client, Daemon, Echo, Server, Start, descriptors, is_alive, wait_until
from tests.kit.awkward import FullServer
from tests.kit.board import BoardOf
from tests.kit.rights import needs_root

CHUNK = 24
"""Sessions that move together, in each worker, and are counted by nobody meanwhile."""

DIAL = 2
"""Descriptors of a session that is dialled for."""


def web(server: Server | Echo | FullServer, most: int = 1, upstream: str = "", workers: int = 1) -> str:
    return f"""
        [main]
        workers = {workers}

        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{{ address = "{server.address}", max_sessions = {most} }}]
        {upstream}
    """


def queued(daemon: Daemon, word: bytes) -> Client:
    return daemon.client().send(word)


# In the queue


@needs_root
def test_who_waits_in_the_queue_keeps_its_place_before_newcomers(start: Start, server: Server) -> None:
    daemon = start(web(server, upstream="queue = 10"))
    with BoardOf(daemon) as board, daemon.client() as first:
        peer = server.accept()
        waiting = []
        for word in (b"1", b"2", b"3", b"4", b"5", b"6"):
            waiting.append(queued(daemon, word))
            wait_until("it waits", lambda: board.total(catalogue.QUEUE_SESSIONS, "web") == len(waiting))
            if word in b"24":
                daemon.hand_over()
        first.close()
        for client in waiting:
            peer.close()
            peer = server.accept()
            peer.send(peer.read(1))
            word = client.read(1)
            assert word == b"%d" % (waiting.index(client) + 1)
            client.close()
        peer.close()
        wait_until("all are gone", lambda: board.total(catalogue.SESSIONS, "web") == 0)
        assert board.total(catalogue.QUEUE_SESSIONS, "web") == 0
        assert board.total(catalogue.SESSIONS_TOTAL, "web") == 7


def test_queue_timeout_goes_on_over_moves(start: Start, server: Server) -> None:
    daemon = start(web(server, upstream='queue = 10\nqueue_timeout = "3s"'))
    with daemon.client(), server.accept(), daemon.client() as waiting:
        for _ in range(3):
            daemon.hand_over()
        assert waiting.read_all() == b""
        daemon.wait_log("end=sQ queue timeout")
        [age] = re.findall(r"total=(\d+)ms .* end=sQ", daemon.log())
        assert 2950 < int(age) < 3600


def test_who_waits_is_served_when_the_new_file_has_room(start: Start, server: Server) -> None:
    daemon = start(web(server, upstream="queue = 10"))
    with daemon.client(), server.accept(), queued(daemon, b"?") as waiting:
        daemon.hand_over(web(server, most=2, upstream="queue = 10"))
        with server.accept() as peer:
            assert peer.read(1) == b"?"
            peer.send(b"!")
            assert waiting.read(1) == b"!"


def test_who_waits_where_the_new_file_has_another_upstream_is_served_by_the_old(start: Start, server: Server) -> None:
    with Echo("other") as other:
        toml = web(server, upstream="queue = 10")
        daemon = start(toml)
        with daemon.client() as first, server.accept() as peer, queued(daemon, b"?") as waiting:
            old = daemon.workers()
            daemon.reload(
                toml.replace('upstream = "web"', 'upstream = "other"')
                + f'\n        [upstreams.other]\n        servers = ["{other.address}"]\n'
            )
            assert all(map(is_alive, old))
            first.close()
            peer.close()
            with server.accept() as next_one:
                assert next_one.read(1) == b"?"
                next_one.send(b"!")
                assert waiting.read(1) == b"!"
                wait_until("it has moved then", lambda: not any(map(is_alive, old)))
                waiting.send(b"again")
                assert next_one.read(5) == b"again"


def test_who_leaves_the_queue_after_the_move_is_counted_as_such(start: Start, server: Server) -> None:
    daemon = start(web(server, upstream="queue = 10"))
    with daemon.client(), server.accept():
        waiting = daemon.client()
        daemon.hand_over()
        waiting.reset()
        daemon.wait_log("end=CQ client left while queued")


# Being dialled


def test_a_dial_is_finished_where_it_is_and_the_session_moves_then(start: Start) -> None:
    with FullServer() as server:
        daemon = start(web(server, most=0, upstream='connect_timeout = "30s"'))
        [old] = daemon.workers()
        before = descriptors(old)
        with daemon.client() as client:
            client.send(b"hello")
            wait_until("it is dialled", lambda: descriptors(old) == before + DIAL)
            daemon.reload()
            assert is_alive(old)
            server.make_room()
            with server.accept() as peer:
                wait_until("the old worker is gone", lambda: not is_alive(old))
                assert peer.read(5) == b"hello"
                peer.send(b"world")
                assert client.read(5) == b"world"
                daemon.hand_over()
                peer.send(b"again")
                assert client.read(5) == b"again"


def test_a_dial_that_fails_in_the_old_worker_tries_the_next_server_there(start: Start) -> None:
    with FullServer() as silent, Echo("other") as other:
        daemon = start(
            web(silent, most=0, upstream='connect_timeout = "2s"').replace(
                "max_sessions = 0 }", f'max_sessions = 0 }}, {{ address = "{other.address}", backup = true }}'
            )
        )
        [old] = daemon.workers()
        before = descriptors(old)
        with daemon.client() as client:
            wait_until("it is dialled", lambda: descriptors(old) == before + DIAL)
            daemon.reload()
            assert client.send(b"?\n").read_line() == b"other ?\n"
            wait_until("the old worker is gone", lambda: not is_alive(old))
            assert client.send(b"?\n").read_line() == b"other ?\n"
        daemon.wait_log("tries=2")


def test_a_dial_that_does_not_end_holds_only_itself(start: Start) -> None:
    """The sessions beside it move at once, and a second reload does not wait for it."""
    with FullServer() as silent, Echo("other") as other:
        toml = f"""
            [main]
            workers = 1

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [listeners.slow]
            bind = "127.0.0.1:0"
            upstream = "slow"

            [upstreams.web]
            servers = ["{other.address}"]

            [upstreams.slow]
            servers = ["{silent.address}"]
            connect_timeout = "5s"
            tries = 1
        """
        daemon = start(toml)
        [old] = daemon.workers()
        with daemon.client("web") as client:
            assert client.send(b"1\n").read_line() == b"other 1\n"
            before = descriptors(old)
            with daemon.client("slow") as slow:
                wait_until("it is dialled", lambda: descriptors(old) == before + DIAL)
                daemon.reload()
                daemon.hand_over(toml)
                assert client.send(b"2\n").read_line() == b"other 2\n"
                assert is_alive(old)
                assert slow.read_all() == b""
                wait_until("the old worker is gone", lambda: not is_alive(old))


# max_sessions


@needs_root
@pytest.mark.parametrize("workers", [1, 2])
def test_nobody_is_refused_while_sessions_of_a_server_that_is_nearly_full_move(start: Start, workers: int) -> None:
    with Echo() as echo:
        daemon = start(web(echo, most=120, workers=workers).replace("debug", "info"))
        with BoardOf(daemon) as board, ThreadPoolExecutor() as threads:
            clients = [daemon.client() for _ in range(100)]
            done = False

            def visit() -> int:
                visits = 0
                while not done:
                    with daemon.client() as client:
                        assert client.send(b"?").read(1) == b"?"
                        visits += 1
                return visits

            visitors = [threads.submit(visit) for _ in range(5)]
            try:
                for _ in range(10):
                    daemon.hand_over()
                    for number, client in enumerate(clients):
                        word = b"%d" % number
                        assert client.send(word).read(len(word)) == word
            finally:
                done = True
            assert min(visitor.result() for visitor in visitors) > 10
            wait_until("they are gone", lambda: board.total(catalogue.SERVER_SESSIONS, "web", str(echo.address)) == 100)
            for client in clients:
                client.close()


@needs_root
def test_a_full_server_gets_no_more_than_are_on_their_way_while_its_sessions_move(start: Start) -> None:
    with Echo() as echo:
        daemon = start(web(echo, most=100, workers=2).replace("debug", "info"))
        with BoardOf(daemon) as board, ThreadPoolExecutor() as threads:
            clients = [daemon.client() for _ in range(100)]
            for client in clients:
                assert client.send(b"?").read(1) == b"?"
            done = False
            loads = [100]

            def visit() -> None:
                while not done:
                    with daemon.client() as client:
                        client.read_all()  # it is refused, or stays until the test is over
                    loads.append(board.total(catalogue.SERVER_SESSIONS, "web", str(echo.address)))

            visitors = [threads.submit(visit) for _ in range(3)]
            for _ in range(10):
                daemon.hand_over()
            done = True
            for client in clients:
                assert client.send(b"?").read(1) == b"?"
            board_says = board.total(catalogue.SERVER_SESSIONS, "web", str(echo.address))
            print(f"a server with 100 of 100 sessions had {max(*loads, board_says)} over 10 reloads")
            assert max(*loads, board_says) <= 100 + 2 * CHUNK
            daemon.stop()
            for visitor in visitors:
                visitor.result()
            for client in clients:
                client.close()


@needs_root
def test_a_smaller_max_sessions_cuts_nobody_off(start: Start) -> None:
    with Echo() as echo:
        daemon = start(web(echo, most=20))
        with BoardOf(daemon) as board:
            clients = [daemon.client() for _ in range(20)]
            for client in clients:
                assert client.send(b"?").read(1) == b"?"
            daemon.hand_over(web(echo, most=5))
            for client in clients:
                assert client.send(b"?").read(1) == b"?"
            with daemon.client() as refused:
                assert refused.read_all() == b""
            for client in clients[4:]:
                client.close()
            wait_until("they are gone", lambda: board.total(catalogue.SERVER_SESSIONS, "web", str(echo.address)) == 4)
            with daemon.client() as client:
                assert client.send(b"?").read(1) == b"?"
            for client in clients[:4]:
                client.close()
