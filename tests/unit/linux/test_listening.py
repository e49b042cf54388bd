"""Listening sockets: bound, tuned and listening, one step after the other."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from l4d.address import Address, Inet, Unix
from l4d.config.model import Keepalive
from l4d.linux import listening
from l4d.terms import Protocol
from tests.kit.processes import descriptors
from tests.unit.making import listener

TCP = listener(backlog=7)
UDP = listener(protocol=Protocol.UDP)
ANY_PORT = Inet("127.0.0.1", 0)


def same_address(sock: socket.socket) -> Inet:
    return Inet(*sock.getsockname()[:2])


def refusal(address: Address) -> int | None:
    with pytest.raises(OSError) as caught:
        listening.bind(TCP, address)
    return caught.value.errno


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o777, 0o000])
def test_the_file_of_a_socket_has_its_mode_when_it_is_made(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o027)
    try:
        with listening.listen_alone(Unix(f"{tmp_path}/x"), mode):
            assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode
        with pytest.raises(FileNotFoundError):
            listening.listen_alone(Unix(f"{tmp_path}/no/x"), mode)
    finally:
        assert os.umask(before) == 0o027, "it is as it was"


def test_what_is_ours_alone_is_shared_with_nobody() -> None:
    number = descriptors(os.getpid())
    with listening.listen_alone(ANY_PORT, 0o600) as sock:
        here = same_address(sock)
        with pytest.raises(OSError) as caught:
            listening.listen_alone(here, 0o600)
        assert caught.value.errno == errno.EADDRINUSE
        assert refusal(here) == errno.EADDRINUSE
    assert descriptors(os.getpid()) == number
    with listening.listen_alone(Inet("::1", 0), 0o600) as sock:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1


def test_a_bound_tcp_socket_takes_no_client_before_it_listens() -> None:
    with listening.bind(TCP, ANY_PORT) as sock, socket.socket() as client:
        assert client.connect_ex(sock.getsockname()) == errno.ECONNREFUSED
        listening.listen(sock, TCP)
        assert client.connect_ex(sock.getsockname()) == 0
        assert not sock.getblocking()
        assert not sock.get_inheritable()


def test_the_sockets_of_all_slots_share_an_address() -> None:
    for config in (TCP, UDP):
        with listening.bind(config, ANY_PORT) as first, listening.bind(config, same_address(first)) as second:
            assert first.getsockname() == second.getsockname()
            listening.listen(first, config)
            listening.listen(second, config)


def test_a_socket_joins_another_with_buffers_as_large() -> None:
    for config in (TCP, UDP):
        with listening.bind(config, ANY_PORT) as first:
            listening.tune(first, listener(protocol=config.protocol, receive_buffer=50_000, send_buffer=60_000))
            with listening.join(first, same_address(first)) as second:
                assert (second.getsockname(), second.type) == (first.getsockname(), first.type)
                assert second.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 100_000
                assert second.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 120_000


def test_listening_again_is_no_error() -> None:
    with listening.bind(TCP, ANY_PORT) as sock:
        listening.listen(sock, TCP)
        listening.listen(sock, listener(backlog=9))


def test_an_address_in_use_or_not_ours_leaves_no_socket_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        before = descriptors(os.getpid())
        assert refusal(same_address(taken)) == errno.EADDRINUSE
        assert refusal(Inet("192.0.2.1", 0)) == errno.EADDRNOTAVAIL
        assert descriptors(os.getpid()) == before


def test_all_ipv6_addresses_are_not_all_ipv4_addresses_too() -> None:
    with listening.bind(TCP, Inet("::", 0)) as sock, socket.socket() as ipv4:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
        ipv4.bind(("0.0.0.0", sock.getsockname()[1]))


@pytest.mark.parametrize(
    ("everywhere", "one", "told"),
    [("0.0.0.0", "127.0.0.7", True), ("::", "::1", True), ("127.0.0.1", "127.0.0.1", False)],
)
def test_only_where_there_are_many_addresses_a_datagram_says_which(everywhere: str, one: str, told: bool) -> None:
    with listening.bind(UDP, Inet(everywhere, 0)) as sock, socket.socket(sock.family, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", (one, sock.getsockname()[1]))
        assert bool(sock.recvmsg(10, 1000)[1]) is told


def test_a_tcp_socket_is_tuned_as_its_listener_says_and_untuned_by_a_reload() -> None:
    tuned = listener(keepalive=Keepalive(enabled=True, idle=30.0), user_timeout=1.5, fast_open=True, defer_accept=True)
    with listening.bind(TCP, ANY_PORT) as sock:

        def tcp(name: int) -> int:
            return sock.getsockopt(socket.IPPROTO_TCP, name)

        listening.tune(sock, tuned)
        listening.listen(sock, tuned)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert tcp(socket.TCP_NODELAY)
        assert tcp(socket.TCP_USER_TIMEOUT) == 1500
        assert tcp(socket.TCP_FASTOPEN)
        assert tcp(socket.TCP_DEFER_ACCEPT)
        listening.tune(sock, TCP)
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert tcp(socket.TCP_USER_TIMEOUT) == 0
        assert tcp(socket.TCP_FASTOPEN) == 0
        assert tcp(socket.TCP_DEFER_ACCEPT) == 0


def test_an_accepted_socket_inherits_what_would_cost_a_call_for_each() -> None:
    with listening.bind(TCP, ANY_PORT) as sock, socket.socket() as client:
        listening.tune(sock, listener(keepalive=Keepalive(enabled=True), user_timeout=1.5))
        listening.listen(sock, TCP)
        client.connect(sock.getsockname())
        accepted, _ = sock.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1500


def test_udp_and_unix_sockets_are_tuned_in_their_buffers_alone(tmp_path: Path) -> None:
    small = listener(receive_buffer=50_000)
    with listening.bind(TCP, Unix(str(tmp_path / "sock"))) as sock:
        listening.tune(sock, small)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 100_000
    with listening.bind(UDP, ANY_PORT) as sock:
        listening.tune(sock, listener(protocol=Protocol.UDP, receive_buffer=50_000))
        listening.listen(sock, UDP)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 100_000


def test_a_unix_socket_that_nobody_listens_on_any_more_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "sock")
    with socket.socket(socket.AF_UNIX) as former:
        former.bind(path)
    with listening.bind(TCP, Unix(path)) as sock, socket.socket(socket.AF_UNIX) as client:
        listening.listen(sock, TCP)
        assert client.connect_ex(path) == 0


def test_a_unix_socket_that_is_served_is_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "sock")
    with socket.socket(socket.AF_UNIX) as served, socket.socket(socket.AF_UNIX) as client:
        served.bind(path)
        served.listen()
        assert refusal(Unix(path)) == errno.EADDRINUSE
        assert client.connect_ex(path) == 0


def test_a_file_in_the_place_of_a_unix_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    path.write_text("precious", "ascii")
    assert refusal(Unix(str(path))) == errno.EADDRINUSE
    assert path.read_text("ascii") == "precious"


def test_a_folder_that_is_not_there_is_an_error_of_its_own() -> None:
    assert refusal(Unix("/nowhere/sock")) == errno.ENOENT
