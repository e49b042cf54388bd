"""`handover = false` is nginx's way: old workers keep their sessions until they end, or drain_timeout is over."""

import time

from tests.kit import Echo, Server, Start, UdpServer, ask, is_alive, wait_until
from tests.kit.awkward import FullServer
from tests.kit.processes import title
from tests.kit.tcp import Peer

OFF = "handover = false"


def web(server: Server | Echo, main: str = "", more: str = "") -> str:
    return f"""
        [main]
        {main}

        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
        {more}
    """


def test_old_workers_stay_until_their_last_session_is_over(start: Start, server: Server) -> None:
    daemon = start(web(server, OFF))
    old = daemon.workers()
    with daemon.client() as client, server.accept() as peer:
        daemon.reload()
        wait_until("the worker without a session is gone", lambda: sum(map(is_alive, old)) == 1)
        [serving] = filter(is_alive, old)
        assert title(serving) == "l4d: worker process is shutting down"
        assert serving not in daemon.workers()
        client.send(b"?")
        assert peer.read(1) == b"?"
        peer.close()
        assert client.read_all() == b""
    daemon.wait_log("generation 1 is gone")
    assert "took over" not in daemon.log()


def test_old_workers_serve_by_the_old_file(start: Start, server: Server) -> None:
    with Echo("new") as new:
        daemon = start(web(server, OFF))
        with daemon.client() as client, server.accept() as peer:
            daemon.reload(web(new, OFF))
            assert {ask(daemon.address()) for _ in range(5)} == {"new"}
            client.send(b"?")
            assert peer.read(1) == b"?"


def test_a_file_that_turns_it_off_holds_for_its_own_reload(start: Start, server: Server) -> None:
    daemon = start(web(server))
    with daemon.client(), server.accept():
        old = daemon.workers()
        daemon.reload(web(server, OFF))
        wait_until("the worker without a session is gone", lambda: sum(map(is_alive, old)) == 1)
        assert "took over" not in daemon.log()


def test_workers_that_linger_hand_over_once_it_is_on(start: Start, server: Server) -> None:
    daemon = start(web(server, OFF))
    pairs = []
    lingering: list[int] = []
    for _ in range(3):
        pairs.append((daemon.client(), server.accept()))
        lingering += daemon.workers()
        daemon.reload(web(server, OFF))
    wait_until("only those with a session are left", lambda: sum(map(is_alive, lingering)) == len(pairs))
    daemon.reload(web(server))
    wait_until("all have handed over", lambda: not any(map(is_alive, lingering)))
    daemon.wait_log("took over 1 tcp sessions", len(pairs))
    for client, peer in pairs:
        client.send(b"?")
        assert peer.read(1) == b"?"
        client.close()
        peer.close()
    daemon.wait_log("end=--", 3)


def test_drain_timeout_of_a_worker_that_lingered_does_not_end_what_has_moved(start: Start, server: Server) -> None:
    daemon = start(web(server, f'{OFF}\ndrain_timeout = "2s"'))
    with daemon.client() as client, server.accept() as peer:
        begun = time.monotonic()
        daemon.reload()
        daemon.hand_over(web(server, 'drain_timeout = "2s"'))
        daemon.wait_log("generation 1 is gone")
        wait_until("drain_timeout is over", lambda: time.monotonic() > begun + 2.5)
        client.send(b"?")
        assert peer.read(1) == b"?"


def test_drain_timeout_ends_a_dial_that_could_not_move(start: Start, server: Server) -> None:
    """Whatever keeps an old worker, it is gone in time; what it has handed over lives."""
    with FullServer() as silent:
        daemon = start(
            web(server, 'drain_timeout = "1s"\nworkers = 1', 'connect_timeout = "1m"')
            + f"""
        [listeners.slow]
        bind = "127.0.0.1:0"
        upstream = "slow"

        [upstreams.slow]
        servers = ["{silent.address}"]
        connect_timeout = "1m"
        tries_timeout = "1m"
    """
        )
        [old] = daemon.workers()
        with daemon.client("web") as client, server.accept() as peer, daemon.client("slow") as slow:
            ask_something(client, peer)
            daemon.reload()
            assert slow.read_all() == b""
            wait_until("the old worker is gone", lambda: not is_alive(old))
            ask_something(client, peer)
        daemon.wait_log("end=XD")


def ask_something(client: Peer, peer: Peer) -> None:
    client.send(b"?")
    assert peer.read(1) == b"?"


def test_flows_begin_anew_in_the_new_workers(start: Start) -> None:
    with UdpServer() as server:
        daemon = start(f"""
            [main]
            handover = false

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{server.address}"]
        """)
        with daemon.udp_client() as client:
            client.send(b"1")
            first = server.receive()
            daemon.reload()
            client.send(b"2")
            second = server.receive()
            assert second.sender != first.sender
            second.answer(b"!")
            assert client.receive() == b"!"
