"""Sockets without the wrapper: what is opened and accepted for a session."""

import os
import socket
from contextlib import closing

import pytest

from l4d.linux import sockets


def test_an_opened_socket_never_waits_and_is_not_inherited() -> None:
    with closing(sockets.open_socket(socket.AF_INET6, socket.SOCK_DGRAM)) as sock:
        assert (sock.family, sock.type) == (socket.AF_INET6, socket.SOCK_DGRAM)
        assert not os.get_blocking(sock.fileno())
        assert not os.get_inheritable(sock.fileno())


def test_an_accepted_client_is_told_with_its_address_and_is_not_inherited() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()) as client:
            sock, address = sockets.accept(listening, socket.AF_INET)
            with closing(sock):
                assert address == client.getsockname()
                assert sock.family == socket.AF_INET
                assert not os.get_inheritable(sock.fileno())
                client.sendall(b"question")
                assert sock.recv(64) == b"question"


def test_nobody_waiting_is_said_as_by_accept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            sockets.accept(listening, socket.AF_INET)
