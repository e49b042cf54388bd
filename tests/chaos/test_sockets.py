"""What is said of our own sockets."""

import os
import socket

from tests.chaos import sockets


def test_both_ends_of_a_connection_are_listed_with_the_inode_of_whoever_has_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as client,
    ):
        ours, theirs = client.getsockname()[1], listening.getsockname()[1]
        accepted, _ = listening.accept()
        with accepted:
            found = {(each.port, each.peer_port): each.inode for each in sockets.tcp()}
            assert found[ours, theirs] == os.fstat(client.fileno()).st_ino
            assert found[theirs, ours] == os.fstat(accepted.fileno()).st_ino
            assert {found[ours, theirs], found[theirs, ours]} <= sockets.inodes_of(os.getpid())


def test_a_connection_that_nobody_has_accepted_is_listed_without_an_inode() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as client,
    ):
        found = {(each.port, each.peer_port): each.inode for each in sockets.tcp()}
        assert found[listening.getsockname()[1], client.getsockname()[1]] == 0


def test_a_connected_udp_socket_is_listed_and_one_that_is_only_bound_is_not() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as bound, socket.socket(type=socket.SOCK_DGRAM) as connected:
        bound.bind(("127.0.0.1", 0))
        connected.connect(bound.getsockname())
        found = {each.port: each for each in sockets.udp()}
        assert found[connected.getsockname()[1]].peer_port == bound.getsockname()[1]
        assert bound.getsockname()[1] not in found


def test_a_process_that_is_gone_has_no_sockets() -> None:
    assert sockets.inodes_of(2**22 + 1) == set()
