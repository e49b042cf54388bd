"""Addresses other than one IPv4 address and port: IPv6, unix sockets, ranges, all addresses."""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from l4d.address import Inet, Unix
from tests.kit import Client, Echo, Server, Start, UdpEcho, ask, ask_udp, free_port, wait_until
from tests.kit.tcp import refuses


def test_an_ipv6_client_reaches_an_ipv6_server(start: Start) -> None:
    with Echo("six", Inet("::1", 0)) as six:
        daemon = start(f"""
            [listeners.web]
            bind = "[::1]:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{six.address}"]
        """)
        assert daemon.address().family == socket.AF_INET6
        assert ask(daemon.address()) == "six"


def test_an_ipv6_client_reaches_an_ipv4_server(start: Start) -> None:
    with Echo("four") as four:
        daemon = start(f"""
            [listeners.web]
            bind = "[::1]:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{four.address}"]
        """)
        assert ask(daemon.address()) == "four"


def test_datagrams_pass_over_ipv6(start: Start) -> None:
    with UdpEcho("six", Inet("::1", 0)) as six:
        daemon = start(f"""
            [listeners.dns]
            bind = "[::1]:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{six.address}"]
        """)
        assert ask_udp(daemon.address()) == "six"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_a_star_is_every_address_of_both_families(start: Start, host: str) -> None:
    port = free_port()
    with Echo("one") as one:
        start(f"""
            [listeners.web]
            bind = "*:{port}"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}"]
        """)
        assert ask(Inet(host, port)) == "one"


def test_a_client_of_a_unix_socket_reaches_a_server(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "front"
    with Echo("one") as one:
        daemon = start(f"""
            [listeners.web]
            bind = "unix:{path}"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}"]
        """)
        assert {ask(Unix(str(path))) for _ in range(10)} == {"one"}
        daemon.stop()
        assert not path.exists()


def test_a_server_is_dialled_by_its_unix_socket(start: Start, tmp_path: Path) -> None:
    with Server(Unix(f"{tmp_path}/back")) as server:
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["unix:{tmp_path}/back"]
        """)
        with daemon.client() as client, server.accept() as peer:
            client.send(b"question").finish()
            assert peer.read_all() == b"question"
            peer.send(b"answer").finish()
            assert client.read_all() == b"answer"


def test_a_unix_server_that_is_not_there_is_passed_over(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["unix:{tmp_path}/nobody", "{one.address}"]
        """)
        assert {ask(daemon.address()) for _ in range(6)} == {"one"}
        daemon.wait_log("no such file or directory")


def test_what_a_unix_client_sent_before_it_left_is_delivered(start: Start, server: Server, tmp_path: Path) -> None:
    start(f"""
        [listeners.web]
        bind = "unix:{tmp_path}/front"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """)
    Client(Unix(f"{tmp_path}/front")).send(b"goodbye").close()
    with server.accept() as peer:
        assert peer.read_all() == b"goodbye"


def test_a_stale_unix_socket_is_replaced(start: Start, tmp_path: Path) -> None:
    Server(Unix(f"{tmp_path}/front")).close()
    assert refuses(Unix(f"{tmp_path}/front"))
    with Echo("one") as one:
        start(f"""
            [listeners.web]
            bind = "unix:{tmp_path}/front"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}"]
        """)
        assert ask(Unix(f"{tmp_path}/front")) == "one"


def test_a_server_without_a_port_is_dialled_at_the_port_the_client_came_to(start: Start) -> None:
    first = free_ports(3)
    ports = range(first, first + 3)
    with ExitStack() as servers:
        for port in ports:
            servers.enter_context(Echo(f"port-{port}", Inet("127.0.0.2", port)))
        start(f"""
            [listeners.web]
            bind = "127.0.0.1:{first}-{first + 2}"
            upstream = "web"

            [upstreams.web]
            servers = ["127.0.0.2"]
        """)
        assert [ask(Inet("127.0.0.1", port)) for port in ports] == [f"port-{port}" for port in ports]


def test_a_udp_range_keeps_its_ports_too(start: Start) -> None:
    first = free_ports(2)
    with UdpEcho("low", Inet("127.0.0.2", first)), UdpEcho("high", Inet("127.0.0.2", first + 1)):
        start(f"""
            [listeners.game]
            bind = "127.0.0.1:{first}-{first + 1}"
            protocol = "udp"
            upstream = "game"

            [upstreams.game]
            servers = ["127.0.0.2"]
        """)
        assert ask_udp(Inet("127.0.0.1", first)) == "low"
        assert ask_udp(Inet("127.0.0.1", first + 1)) == "high"


def test_a_listener_has_as_many_addresses_as_it_is_given(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon = start(f"""
            [listeners.web]
            bind = ["127.0.0.1:0", "[::1]:0", "unix:{tmp_path}/front"]
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}"]
        """)
        assert [ask(address) for address in daemon.addresses("web")] == ["one"] * 3


def free_ports(count: int) -> int:
    """The first of *count* ports in a row that were all free a moment ago, for TCP and UDP."""

    def try_some() -> int:
        first = random.randrange(15_000, 30_000)  # below those that the kernel gives to clients
        try:
            with ExitStack() as probes:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    for port in range(first, first + count):
                        sock = probes.enter_context(socket.socket(type=kind))
                        # Connections of earlier tests may linger; a listening socket is in the way all the same.
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM)
                        sock.bind(("0.0.0.0", port))
        except OSError:
            return 0
        return first

    return wait_until(f"{count} ports in a row are free", try_some)
