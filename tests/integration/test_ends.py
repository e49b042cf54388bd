"""Every end there is, provoked: it is counted once, told in the log, and all ends together are all sessions."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import pytest

from l4d.address import Address, Inet
from l4d.stats import catalogue
from l4d.terms import End
from tests.kit import Client, Daemon, Peer, Server, Start, UdpClient, UdpServer, wait_until
from tests.kit.asking import Asking
from tests.kit.awkward import DeadServer, FullServer
from tests.kit.board import BoardOf
from tests.kit.closing import Closing
from tests.kit.rights import needs_root

pytestmark = needs_root

LACKED = "192.0.2.1"
"""An address that is never ours (RFC 5737)."""

NOT_FOR_US = Inet("255.255.255.255", 9)
"""The kernel refuses to connect there, without the right to send to all."""


class Scene(NamedTuple):
    """One end, and how it comes about with one server and these keys."""

    end: End
    play: Callable[["Bench"], None]
    listener: str = ""
    upstream: str = ""
    server: str = ""

    @property
    def protocol(self) -> str:
        return "udp" if 'protocol = "udp"' in self.listener else "tcp"

    def config(self, address: Address, *, without: bool = False) -> str:
        """With the server at this address; *without* it: with another one."""
        other = "127.0.0.1:1" if without else f"{address}"
        return f"""
            [log]
            level = "debug"
            [listeners.it]
            bind = "127.0.0.1:0"
            upstream = "all"
            {self.listener}
            [upstreams.all]
            servers = [{{ address = "{other}", name = "the"{self.server} }}]
            {self.upstream}
        """


class Nowhere(Closing):
    """No server, and no way to where it would be."""

    address = NOT_FOR_US

    def close(self) -> None:
        """Nothing is open."""


class Gone(Closing):
    """A port where a UDP server was."""

    def __init__(self) -> None:
        with UdpServer() as server:
            self.address = server.address

    def close(self) -> None:
        """It is closed already."""


Far: TypeAlias = Server | UdpServer | FullServer | DeadServer | Nowhere | Gone

FAR: dict[tuple[End, str], Callable[[], Far]] = {
    (End.NO_SERVER_ACCEPTED, "tcp"): DeadServer,
    (End.NO_SERVER_ACCEPTED, "udp"): Nowhere,
    (End.CONNECT_TIMEOUT, "tcp"): FullServer,
    (End.CLIENT_LEFT_CONNECTING, "tcp"): FullServer,
    (End.UDP_UNREACHABLE, "udp"): Gone,
}
"""Where it is not a server that the test answers for."""


class Bench:
    """What a scene is played with."""

    def __init__(self, scene: Scene, daemon: Daemon, board: BoardOf, far: Far, checked: Server) -> None:
        self.scene = scene
        self.daemon = daemon
        self.board = board
        self.server = far
        self.checked = checked

    @contextmanager
    def session(self) -> Iterator[tuple[Client, Peer]]:
        """A client and the server it was given."""
        assert isinstance(self.server, Server)
        with self.daemon.client() as client, self.server.accept() as peer:
            client.send(b"?")
            assert peer.read(1) == b"?"
            yield client, peer

    @contextmanager
    def flow(self) -> Iterator[UdpClient]:
        """A client that the server has heard."""
        assert isinstance(self.server, UdpServer)
        with self.daemon.udp_client() as client:
            client.send(b"?")
            self.server.receive()
            yield client

    def ends(self) -> dict[str, int]:
        counts = {end.value: self.board.total(catalogue.SESSION_ENDS, "it", end.value) for end in End}
        return {end: count for end, count in counts.items() if count}

    def wait_end(self) -> None:
        """Until the scene's end is counted."""
        wait_until(f"a session ends with {self.scene.end}", lambda: self.scene.end.value in self.ends())


# The scenes


def all_is_said(bench: Bench) -> None:
    with bench.session() as (client, peer):
        client.finish()
        assert peer.read_all() == b""
        peer.finish()
        assert client.read_all() == b""


def client_resets(bench: Bench) -> None:
    with bench.session() as (client, peer):
        client.reset()
        assert peer.is_reset()


def server_resets(bench: Bench) -> None:
    with bench.session() as (client, peer):
        peer.reset()
        assert client.is_reset()


def client_resets_after_the_servers_fin(bench: Bench) -> None:
    with bench.session() as (client, peer):
        peer.finish()
        assert client.read_all() == b""
        client.reset()
        assert peer.is_reset()


def server_resets_after_the_clients_fin(bench: Bench) -> None:
    with bench.session() as (client, peer):
        client.finish()
        assert peer.read_all() == b""
        peer.reset()
        assert client.is_reset()


def nobody_says_anything(bench: Bench) -> None:
    with bench.session() as (client, peer):
        assert (client.read_all(), peer.read_all()) == (b"", b"")


def client_is_silent_after_the_servers_fin(bench: Bench) -> None:
    with bench.session() as (client, peer):
        peer.finish()
        assert client.read_all() == b""
        assert peer.read_all() == b""


def server_is_silent_after_the_clients_fin(bench: Bench) -> None:
    with bench.session() as (client, peer):
        client.finish()
        assert peer.read_all() == b""
        assert client.read_all() == b""


def client_is_closed(bench: Bench) -> None:
    with bench.daemon.client() as client:
        assert client.read_all() == b""


def client_leaves_at_once(bench: Bench) -> None:
    with bench.daemon.client() as client:
        wait_until("it is dialled for", lambda: bench.board.total(catalogue.SERVER_SESSIONS, "all", "the"))
        client.reset()
    bench.wait_end()


def another_one_comes(bench: Bench) -> None:
    with bench.session(), bench.daemon.client() as second:
        assert second.read_all() == b""


def another_one_comes_and_leaves(bench: Bench) -> None:
    with bench.session(), bench.daemon.client() as second:
        wait_until("it waits", lambda: bench.board.total(catalogue.QUEUE_SESSIONS, "all"))
        second.reset()
        bench.wait_end()


def l4d_is_stopped(bench: Bench) -> None:
    with bench.session():
        bench.daemon.stop()


def server_goes_down(bench: Bench) -> None:
    with bench.session() as (client, _peer):
        bench.checked.close()
        assert client.read_all() == b""


def server_is_removed(bench: Bench) -> None:
    assert isinstance(bench.server, Server)
    with bench.session() as (client, peer):
        bench.daemon.hand_over(bench.scene.config(bench.server.address, without=True))
        assert (client.read_all(), peer.read_all()) == (b"", b"")


def operator_kills(bench: Bench) -> None:
    with bench.session() as (client, peer), Asking(bench.daemon) as ask:
        assert ask.kill(server="all/the").number == 1
        assert client.is_reset()
        assert peer.is_reset()


def flow_falls_silent(bench: Bench) -> None:
    with bench.flow():
        bench.wait_end()


def flow_is_answered(bench: Bench) -> None:
    assert isinstance(bench.server, UdpServer)
    with bench.daemon.udp_client() as client:
        client.send(b"?")
        bench.server.receive().answer(b"!")
        assert client.receive() == b"!"


def datagram_comes(bench: Bench) -> None:
    with bench.daemon.udp_client() as client:
        client.send(b"?")
        bench.wait_end()


def datagram_of_another_one_comes(bench: Bench) -> None:
    with bench.flow(), bench.daemon.udp_client() as second:
        second.send(b"?")
        bench.wait_end()
        bench.daemon.stop()


def l4d_is_stopped_amid_a_flow(bench: Bench) -> None:
    with bench.flow():
        bench.daemon.stop()


def server_of_a_flow_goes_down(bench: Bench) -> None:
    with bench.flow():
        bench.checked.close()
        bench.wait_end()


def server_of_a_flow_is_removed(bench: Bench) -> None:
    assert isinstance(bench.server, UdpServer)
    with bench.flow():
        bench.daemon.hand_over(bench.scene.config(bench.server.address, without=True))
        bench.wait_end()


def operator_kills_a_flow(bench: Bench) -> None:
    with bench.flow(), Asking(bench.daemon) as ask:
        assert ask.kill(listener="it").number == 1


UDP = 'protocol = "udp"\n'
CLOSE = 'on_down = "close"\n'
CHECKED = 'check = { type = "tcp", port = CHECKED, interval = "100ms", fall = 1 }'
SOON = '"300ms"'

SCENES = [
    Scene(End.FINISHED, all_is_said),
    Scene(End.CLIENT_RESET, client_resets),
    Scene(End.CLIENT_RESET_LAST, client_resets_after_the_servers_fin),
    Scene(End.SERVER_RESET, server_resets),
    Scene(End.SERVER_RESET_LAST, server_resets_after_the_clients_fin),
    Scene(End.IDLE, nobody_says_anything, f"idle_timeout = {SOON}"),
    Scene(End.CLIENT_SILENT_LAST, client_is_silent_after_the_servers_fin, f"half_close_timeout = {SOON}"),
    Scene(End.SERVER_SILENT_LAST, server_is_silent_after_the_clients_fin, f"half_close_timeout = {SOON}"),
    Scene(End.NO_SERVER_ACCEPTED, client_is_closed),
    Scene(End.NO_SERVER_ACCEPTED, datagram_comes, UDP),
    Scene(End.CONNECT_TIMEOUT, client_is_closed, "", f"connect_timeout = {SOON}"),
    Scene(End.CLIENT_LEFT_CONNECTING, client_leaves_at_once),
    Scene(End.NO_SERVER_UP, client_is_closed, "", "", ', state = "drain"'),
    Scene(End.NO_SERVER_UP, datagram_comes, UDP, "", ', state = "drain"'),
    Scene(End.NO_RESOURCE, client_is_closed, "", f'source = "{LACKED}"'),
    Scene(End.NO_RESOURCE, datagram_comes, UDP, f'source = "{LACKED}"'),
    Scene(End.STOPPED, l4d_is_stopped),
    Scene(End.STOPPED, l4d_is_stopped_amid_a_flow, UDP),
    Scene(End.SESSION_TIME, nobody_says_anything, f"max_session_time = {SOON}"),
    Scene(End.SESSION_TIME, flow_falls_silent, f"{UDP}max_session_time = {SOON}"),
    Scene(End.LIMIT, another_one_comes, "", "", ", max_sessions = 1"),
    Scene(End.LIMIT, datagram_of_another_one_comes, UDP, "", ", max_sessions = 1"),
    Scene(End.QUEUE_TIMEOUT, another_one_comes, "", f"queue = 9\nqueue_timeout = {SOON}", ", max_sessions = 1"),
    Scene(End.CLIENT_LEFT_QUEUED, another_one_comes_and_leaves, "", "queue = 9", ", max_sessions = 1"),
    Scene(End.SERVER_DOWN, server_goes_down, "", CLOSE + CHECKED),
    Scene(End.SERVER_DOWN, server_of_a_flow_goes_down, UDP, CLOSE + CHECKED),
    Scene(End.SERVER_REMOVED, server_is_removed, "", CLOSE),
    Scene(End.SERVER_REMOVED, server_of_a_flow_is_removed, UDP, CLOSE),
    Scene(End.KILLED, operator_kills),
    Scene(End.KILLED, operator_kills_a_flow, UDP),
    Scene(End.UDP_IDLE, flow_falls_silent, f"{UDP}idle_timeout = {SOON}"),
    Scene(End.UDP_RESPONDED, flow_is_answered, f"{UDP}responses = 1"),
    Scene(End.UDP_UNREACHABLE, datagram_comes, UDP),
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"{scene.end.value} {scene.protocol}")
def test_an_end_is_counted_and_told_once_and_all_ends_are_all_sessions(start: Start, scene: Scene) -> None:
    make = FAR.get((scene.end, scene.protocol), UdpServer if scene.protocol == "udp" else Server)
    with make() as far, Server() as checked:
        assert isinstance(checked.address, Inet)
        scene = scene._replace(upstream=scene.upstream.replace("CHECKED", f"{checked.address.port}"))
        daemon = start(scene.config(far.address))
        with BoardOf(daemon) as board:
            bench = Bench(scene, daemon, board, far, checked)
            scene.play(bench)
            wait_until("no session is left", lambda: not board.total(catalogue.SESSIONS, "it"))
            ends = bench.ends()
            assert ends[scene.end.value] == 1
            assert sum(ends.values()) == board.total(catalogue.SESSIONS_TOTAL, "it")
            daemon.wait_log(f"end={scene.end.value} {scene.end.words}")
            assert len(re.findall(rf"end={re.escape(scene.end.value)} ", daemon.log())) == 1


def test_every_end_has_its_scene() -> None:
    assert {scene.end for scene in SCENES} == set(End)
