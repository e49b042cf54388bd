"""Workers answer whoever is control: what sessions they have, wherever these stand, and they end those that are to."""

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from signal import SIGHUP

import pytest

from l4d.control.inquiries import Killed
from l4d.linux import calls
from l4d.stats import catalogue
from l4d.terms import End
from tests.kit import Client, Daemon, Echo, Server, Start, UdpEcho, UdpServer, wait_until
from tests.kit.asking import Asking
from tests.kit.awkward import FullServer
from tests.kit.measure import wait_until_acknowledged
from tests.kit.rights import needs_root

pytestmark = needs_root

CROWD = 300


def config(tcp: object, udp: object, more: str = "") -> str:
    return f"""
        [log]
        level = "debug"
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        send_buffer = "16k"
        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"
        [upstreams.web]
        servers = [{{ address = "{tcp}", name = "one"{more} }}]
        queue = 10
        queue_timeout = "60s"
        [upstreams.dns]
        servers = ["{udp}"]
    """


@pytest.fixture
def udp_server() -> Iterator[UdpServer]:
    with UdpServer() as server:
        yield server


def test_sessions_are_told_with_what_passes_now(start: Start, server: Server, udp_server: UdpServer) -> None:
    daemon = start(config(server.address, udp_server.address))
    with (
        daemon.client("web") as client,
        server.accept() as peer,
        daemon.udp_client("dns") as asker,
        Asking(daemon) as ask,
    ):
        client.send(b"hello")
        assert peer.read(5) == b"hello"
        peer.send(b"good morning")
        assert client.read(12) == b"good morning"
        asker.send(b"?")
        udp_server.receive().answer(b"yes")
        assert asker.receive() == b"yes"
        listing = ask.sessions()
        assert (listing.total, listing.silent) == (2, [])
        [web] = [one for one in listing.sessions if one["protocol"] == "tcp"]
        assert web["client"] == f"{client.local}"
        assert web["server"] == f"{server.address}"
        assert (web["bytes_up"], web["bytes_down"], web["phase"], web["end"]) == (5, 12, "relay", None)
        assert (web["generation"], web["retired"]) == (1, False)
        assert 0 <= web["idle_ms"] <= web["duration_ms"]
        [flow] = [one for one in listing.sessions if one["protocol"] == "udp"]
        assert (flow["bytes_up"], flow["bytes_down"], flow["datagrams_up"], flow["phase"]) == (1, 3, 1, "relay")
        assert ask.sessions(listener="dns").sessions[0]["id"] == flow["id"]
        assert ask.sessions(client="10.0.0.0/8").total == 0
        assert ask.sessions(limit=1).total == 2
        assert len(ask.sessions(limit=1).sessions) == 1


def phases(ask: Asking) -> list[object]:
    return sorted(one["phase"] for one in ask.sessions().sessions)


def test_who_waits_in_the_queue_is_told_and_killed_and_the_others_are_not(start: Start, server: Server) -> None:
    with UdpEcho() as udp:
        daemon = start(config(server.address, udp.address, ", max_sessions = 1"))
        with daemon.client("web"), server.accept(), daemon.client("web") as waits, Asking(daemon) as ask:
            wait_until("one waits", lambda: phases(ask) == ["queue", "relay"])
            [queued] = ask.sessions(client=f"{waits.local}").sessions
            assert (queued["phase"], queued["server"]) == ("queue", None)
            assert ask.kill(client=f"{waits.local}").number == 1
            assert waits.is_reset()
            assert phases(ask) == ["relay"]
            assert ends(ask, "web") == {"KD": 1}


def test_who_is_dialled_for_is_told_and_killed(start: Start) -> None:
    with FullServer() as silent, UdpEcho() as udp:
        daemon = start(config(silent.address, udp.address))
        with daemon.client("web") as client, Asking(daemon) as ask:
            wait_until("it is dialled for", lambda: phases(ask) == ["dial"])
            assert ask.kill(listener="web").number == 1
            assert client.is_reset()
            assert (phases(ask), ends(ask, "web")) == ([], {"KD": 1})
            assert ask.board.total(catalogue.SERVER_SESSIONS, "web", "one") == 0


def test_a_farewell_is_told_and_killed(start: Start, server: Server) -> None:
    with UdpEcho() as udp:
        daemon = start(config(server.address, udp.address))
        with Client(daemon.address("web"), receive_buffer=4096), server.accept() as peer, Asking(daemon) as ask:
            peer.send(bytes(20_000))
            wait_until_acknowledged(peer)
            peer.reset()
            wait_until("the last data is on its way", lambda: phases(ask) == ["farewell"])
            assert ask.kill(server="one").number == 1
            assert (phases(ask), ends(ask, "web")) == ([], {"KD": 1})


def ends(ask: Asking, listener: str) -> dict[str, int]:
    counts = {end.value: ask.board.total(catalogue.SESSION_ENDS, listener, end.value) for end in End}
    return {end: count for end, count in counts.items() if count}


def test_a_killed_session_is_reset_on_both_sides(start: Start, server: Server, udp_server: UdpServer) -> None:
    daemon = start(config(server.address, udp_server.address))
    with daemon.client("web") as client, server.accept() as peer, Asking(daemon) as ask:
        [one] = ask.sessions().sessions
        assert ask.kill(id=str(one["id"])) == Killed(1, [])
        assert client.is_reset()
        assert peer.is_reset()
        assert " end=KD killed by the operator" in daemon.log()
        assert ask.kill(id=str(one["id"])).number == 0


def test_after_a_kill_the_next_datagram_of_a_udp_client_begins_another_flow(start: Start, server: Server) -> None:
    with UdpEcho("one") as udp:
        daemon = start(config(server.address, udp.address))
        with daemon.udp_client("dns") as client, Asking(daemon) as ask:
            assert client.send(b"a").receive() == b"one a"
            assert ask.kill(listener="dns").number == 1
            assert client.send(b"b").receive() == b"one b"
            assert ends(ask, "dns") == {"KD": 1}


def test_thousands_are_told_and_killed_by_and_by(start: Start) -> None:
    with Echo() as echo, UdpEcho() as udp:
        daemon = start(config(echo.address, udp.address))
        clients = [daemon.client("web") for _ in range(1500)]
        try:
            with Asking(daemon) as ask, daemon.client("web") as other:
                wait_until("all are there", lambda: ask.sessions(limit=0).total == 1501)
                listing = ask.sessions(limit=2000)
                assert (listing.total, len({one["id"] for one in listing.sessions})) == (1501, 1501)
                assert listing.sessions == sorted(listing.sessions, key=lambda one: str(one["time"]))
                assert ask.kill(server="web/one").number == 1501
                assert all(client.is_reset() for client in (*clients, other))
                assert ends(ask, "web") == {"KD": 1501}
        finally:
            for client in clients:
                client.close()


def test_workers_that_leave_answer_too_and_so_do_those_of_a_master_that_leaves(start: Start, server: Server) -> None:
    with UdpEcho() as udp:
        toml = config(server.address, udp.address)
        daemon = start("[main]\nhandover = false\nworkers = 2\n" + toml)
        with daemon.client("web") as first, server.accept():
            daemon.reload()
            with daemon.client("web"), server.accept(), Asking(daemon) as ask:
                assert [one["generation"] for one in ask.sessions().sessions] == [1, 2]
                daemon.upgrade()
                with daemon.client("web"), server.accept():
                    assert [one["generation"] for one in ask.sessions().sessions] == [1, 2, 3]
                    assert ask.kill(client=f"{first.local}").number == 1
                    assert first.is_reset()
                    assert [one["generation"] for one in ask.sessions().sessions] == [2, 3]


def test_sessions_that_were_handed_over_are_told_by_who_has_them_now(start: Start, server: Server) -> None:
    with UdpEcho() as udp:
        toml = config(server.address, udp.address)
        daemon = start(toml)
        with daemon.client("web") as client, server.accept() as peer, Asking(daemon) as ask:
            client.send(b"123")
            assert peer.read(3) == b"123"
            [before] = ask.sessions().sessions
            daemon.hand_over()
            [after] = ask.sessions().sessions
            same = ("id", "client", "server", "bytes_up")
            assert [after[key] for key in same] == [before[key] for key in same]
            times = [datetime.fromisoformat(str(one["time"]).removesuffix("Z")) for one in (before, after)]
            assert abs(times[1] - times[0]) <= timedelta(milliseconds=1)  # two clocks were read
            assert (before["generation"], after["generation"], after["retired"]) == (1, 2, False)
            with Server() as other:
                daemon.hand_over(config(other.address, udp.address))
                [retired] = ask.sessions(id=str(after["id"])).sessions
                assert (retired["generation"], retired["retired"]) == (3, True)


def test_strangers_who_call_a_thousand_times_are_sent_away_and_disturb_nobody(daemon: Daemon, server: Server) -> None:
    with daemon.client(), server.accept(), Asking(daemon) as ask:
        assert ask.sessions().total == 1
        name = calls.name_of(ask.listening)
        strangers: list[socket.socket] = []
        try:
            for _ in range(10):
                strangers += [calls.call(name) for _ in range(100)]
                assert ask.sessions().silent == []
            assert ask.sessions().total == 1
            for stranger in strangers:
                assert stranger.recv(1) == b""
        finally:
            for stranger in strangers:
                stranger.close()


def test_workers_call_the_next_control_process_when_one_has_gone(daemon: Daemon, server: Server) -> None:
    with daemon.client(), server.accept():
        for _ in range(3):
            with Asking(daemon) as ask:
                assert (ask.sessions().total, ask.sessions().silent) == (1, [])


def test_the_sessions_that_ended_last_are_told_the_newest_first(start: Start) -> None:
    with Echo() as echo, UdpEcho() as udp:
        daemon = start(config(echo.address, udp.address))
        with Asking(daemon) as ask:
            clients = []
            for _ in range(70):
                with daemon.client("web") as client:
                    clients.append(f"{client.local}")
                wait_until("it is over", lambda: ends(ask, "web") == {"--": len(clients)})
            newest = ask.newest_ends(50)
            assert [one["client"] for one in newest] == clients[::-1][:50]
            assert {one["end"] for one in newest} == {"--"}
            assert len({one["worker"] for one in newest}) == 2
            assert [one["client"] for one in ask.newest_ends(3)] == clients[::-1][:3]


def test_nobody_escapes_a_kill_by_moving_to_another_worker_meanwhile(start: Start) -> None:
    with Echo() as echo, UdpEcho() as udp:
        daemon = start(config(echo.address, udp.address))
        with Asking(daemon) as ask:
            for generation in (2, 3, 4):
                clients = [daemon.client("web") for _ in range(CROWD)]
                wait_until("all are there", lambda: ask.sessions(limit=0).total == CROWD)
                daemon.signal(SIGHUP)
                daemon.wait_log(f"ready: generation {generation}")
                ask.kill(listener="web")
                assert all(client.is_reset() for client in clients)
                daemon.wait_log(f"generation {generation - 1} is gone")
                assert ask.sessions().total == 0
                assert ends(ask, "web") == {"KD": (generation - 1) * CROWD}
                for client in clients:
                    client.close()
