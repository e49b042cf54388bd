"""One side's FIN is passed on as a FIN, and the other direction lives."""

from concurrent.futures import ThreadPoolExecutor

from tests.kit import Daemon, Server, Start
from tests.kit.awkward import FullServer

LARGE = bytes(range(256)) * 20_000


def test_data_after_the_clients_fin_still_arrives(daemon: Daemon, server: Server) -> None:
    with daemon.client() as client, server.accept() as peer:
        client.send(b"question").finish()
        assert peer.read_all() == b"question"
        peer.send(b"answer").finish()
        assert client.read_all() == b"answer"


def test_data_after_the_servers_fin_still_arrives(daemon: Daemon, server: Server) -> None:
    with daemon.client() as client, server.accept() as peer:
        peer.send(b"welcome").finish()
        assert client.read_all() == b"welcome"
        client.send(b"thank you").finish()
        assert peer.read_all() == b"thank you"


def test_a_server_that_speaks_first_is_heard_at_once(daemon: Daemon, server: Server) -> None:
    with daemon.client() as client, server.accept() as peer:
        peer.send(b"220 ready\r\n")
        assert client.read_line() == b"220 ready\r\n"


def test_a_fin_without_any_data_is_passed_on(daemon: Daemon, server: Server) -> None:
    with daemon.client() as client, server.accept() as peer:
        client.finish()
        assert peer.read_all() == b""
        peer.finish()
        assert client.read_all() == b""


def test_what_a_client_sent_and_finished_while_its_server_was_dialled_is_delivered(
    start: Start, server: Server
) -> None:
    with FullServer() as silent:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{silent.address}", "{server.address}"]
            connect_timeout = "300ms"
        """)
        with daemon.client() as client:
            client.send(b"question").finish()
            with server.accept() as peer:
                assert peer.read_all() == b"question"
                peer.send(b"answer").finish()
            assert client.read_all() == b"answer"


def test_a_fin_comes_after_all_the_data_before_it(daemon: Daemon, server: Server) -> None:
    with daemon.client() as client, server.accept() as peer, ThreadPoolExecutor() as threads:
        sending = threads.submit(lambda: client.send(LARGE).finish())
        assert peer.read_all() == LARGE
        sending.result()
        answering = threads.submit(lambda: peer.send(LARGE).finish())
        assert client.read_all() == LARGE
        answering.result()


def test_a_session_that_both_sides_have_finished_is_over(start: Start, server: Server) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer:
        client.send(b"one two").finish()
        peer.read_all()
        peer.send(b"three").finish()
        client.read_all()
        daemon.wait_log("up=7 down=5")
        daemon.wait_log("tries=1 end=-- finished")


def test_without_half_close_the_first_fin_ends_the_session(start: Start, server: Server) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        half_close = false

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer:
        client.send(b"goodbye").finish()
        assert client.read_all() == b""  # though the server has not finished
        assert peer.read_all() == b"goodbye"
    with daemon.client() as client, server.accept() as peer:
        peer.send(b"goodbye").finish()
        assert peer.read_all() == b""
        assert client.read_all() == b"goodbye"


def test_without_half_close_what_was_received_is_delivered_first(start: Start, server: Server) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        half_close = false

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    with daemon.client() as client, server.accept() as peer, ThreadPoolExecutor() as threads:
        sending = threads.submit(lambda: client.send(LARGE).finish())
        assert peer.read_all() == LARGE
        sending.result()
