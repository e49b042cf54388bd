"""Socket options of Linux."""

import socket
from collections.abc import Iterator

import pytest

from l4d.config.model import Keepalive
from l4d.linux import options
from l4d.terms import Protocol
from tests.unit.making import listener


@pytest.fixture
def tcp() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        yield sock


def tcp_option(sock: socket.socket, name: int) -> int:
    return sock.getsockopt(socket.IPPROTO_TCP, name)


def test_keepalive_is_set_as_the_listener_says(tcp: socket.socket) -> None:
    options.keep_alive(tcp, Keepalive(enabled=True, idle=30.0, interval=5.4, count=3))
    assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert tcp_option(tcp, socket.TCP_KEEPIDLE) == 30
    assert tcp_option(tcp, socket.TCP_KEEPINTVL) == 5
    assert tcp_option(tcp, socket.TCP_KEEPCNT) == 3


def test_a_keepalive_time_of_0_is_the_systems(tcp: socket.socket) -> None:
    usual = [tcp_option(tcp, name) for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)]
    options.keep_alive(tcp, Keepalive(enabled=True))
    now = [tcp_option(tcp, name) for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)]
    assert now == usual


def test_keepalive_counts_whole_seconds_and_never_none(tcp: socket.socket) -> None:
    options.keep_alive(tcp, Keepalive(enabled=True, idle=0.2, interval=0.2))
    assert tcp_option(tcp, socket.TCP_KEEPIDLE) == 1
    assert tcp_option(tcp, socket.TCP_KEEPINTVL) == 1


def test_keepalive_is_taken_away_when_a_reload_says_so(tcp: socket.socket) -> None:
    options.keep_alive(tcp, Keepalive(enabled=True))
    options.keep_alive(tcp, Keepalive(enabled=False))
    assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0


def buffers(sock: socket.socket) -> tuple[int, int]:
    """Receiving and sending, as the kernel counts them: twice what was asked for."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF), sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def test_tcp_buffers_are_the_systems_until_the_listener_says_otherwise(tcp: socket.socket) -> None:
    usual = buffers(tcp)
    options.set_buffers(tcp, listener())
    assert buffers(tcp) == usual
    options.set_buffers(tcp, listener(receive_buffer=50_000, send_buffer=60_000))
    assert buffers(tcp) == (100_000, 120_000)


def test_udp_buffers_are_asked_for_unless_the_listener_says_otherwise() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        usual = buffers(sock)
        options.set_buffers(sock, listener(protocol=Protocol.UDP))
        assert min(buffers(sock)) > max(usual)
        options.set_buffers(sock, listener(protocol=Protocol.UDP, receive_buffer=50_000))
        assert buffers(sock)[0] == 100_000


class WithoutRights(socket.socket):
    """A socket of a process without CAP_NET_ADMIN."""

    def setsockopt(self, *args: object) -> None:
        if args[1] in {options.SO_RCVBUFFORCE, options.SO_SNDBUFFORCE}:
            raise PermissionError
        super().setsockopt(*args)  # type: ignore[call-overload]


def test_without_the_right_a_buffer_is_as_large_as_the_system_allows() -> None:
    with WithoutRights() as sock:
        options.set_buffers(sock, listener(receive_buffer=50_000, send_buffer=60_000))
        assert buffers(sock) == (100_000, 120_000)


def test_a_socket_may_be_closed_by_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        options.reset_on_close(accepted)
        accepted.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
