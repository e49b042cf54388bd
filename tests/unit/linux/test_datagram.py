"""The local address of a datagram."""

import socket
import struct

import pytest

from l4d.linux import datagram, options
from l4d.linux.datagram import SPACE, Ancillary, cut_into, cut_of, local_bytes, queued_at_most, reply_from
from l4d.linux.options import IP_PKTINFO
from tests.kit.wait import TIMEOUT


def ipv4_info(interface: int, specific: str, address: str) -> Ancillary:
    data = struct.pack("i", interface) + socket.inet_aton(specific) + socket.inet_aton(address)
    return [(socket.IPPROTO_IP, IP_PKTINFO, data)]


def ipv6_info(address: str, interface: int) -> Ancillary:
    data = socket.inet_pton(socket.AF_INET6, address) + struct.pack("i", interface)
    return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, data)]


def test_an_ipv4_reply_leaves_from_the_address_and_by_the_routing_table() -> None:
    told = ipv4_info(3, "10.0.0.1", "10.0.0.255")
    assert reply_from(told) == ipv4_info(0, "10.0.0.1", "0.0.0.0")


@pytest.mark.parametrize("address", ["2001:db8::1", "::1", "fec0::1", "ff02::1"])
def test_an_ipv6_reply_leaves_from_the_address_and_by_the_routing_table(address: str) -> None:
    assert reply_from(ipv6_info(address, 3)) == ipv6_info(address, 0)


@pytest.mark.parametrize("address", ["fe80::1", "febf::1"])
def test_a_link_local_reply_leaves_by_the_interface_the_datagram_came_by(address: str) -> None:
    assert reply_from(ipv6_info(address, 3)) == ipv6_info(address, 3)


def test_what_else_the_kernel_tells_is_passed_over() -> None:
    other: Ancillary = [
        (socket.SOL_SOCKET, 40, bytes(4)),
        (socket.IPPROTO_IP, IP_PKTINFO + 1, bytes(12)),
        (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO + 1, bytes(20)),
    ]
    assert reply_from([*other, *ipv4_info(3, "10.0.0.1", "10.0.0.1")]) == ipv4_info(0, "10.0.0.1", "0.0.0.0")
    assert reply_from(other) == []


def test_the_local_address_tells_one_flow_from_another() -> None:
    other: Ancillary = [(options.SOL_UDP, options.UDP_GRO, bytes(4))]
    assert local_bytes([*other, *ipv4_info(3, "10.0.0.1", "10.0.0.255")]) == bytes([10, 0, 0, 1])
    assert local_bytes([*other, *ipv6_info("::1", 3)]) == bytes(15) + b"\1"
    assert local_bytes(other) == b""


def test_a_train_says_the_size_of_one_datagram_and_anything_else_is_none() -> None:
    train: Ancillary = [(options.SOL_UDP, options.UDP_GRO, struct.pack("i", 1200))]
    assert cut_of([*ipv4_info(3, "10.0.0.1", "10.0.0.1"), *train]) == 1200
    assert cut_of(ipv4_info(3, "10.0.0.1", "10.0.0.1")) == 0
    assert cut_of([(options.SOL_UDP, options.UDP_GRO + 1, struct.pack("i", 1200))]) == 0
    assert cut_of([]) == 0


def test_a_train_is_received_as_it_was_sent() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
        receiver.settimeout(TIMEOUT)
        receiver.bind(("127.0.0.1", 0))
        datagram.take_trains(receiver)
        sender.connect(receiver.getsockname())
        sender.sendmsg([bytes(1000 + 1000 + 300)], [cut_into(1000)])
        data, ancillary, _, _ = receiver.recvmsg(65536, SPACE)
        assert (len(data), cut_of(ancillary)) == (2300, 1000)


@pytest.mark.parametrize(
    ("family", "level", "option", "everywhere", "one"),
    [
        (socket.AF_INET, socket.IPPROTO_IP, IP_PKTINFO, "0.0.0.0", "127.0.0.7"),
        (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, "::", "::1"),
    ],
)
def test_the_kernel_takes_what_was_made_of_what_it_told(
    family: socket.AddressFamily, level: int, option: int, everywhere: str, one: str
) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, socket.SOCK_DGRAM) as client:
        for sock in (server, client):
            sock.settimeout(TIMEOUT)
        server.setsockopt(level, option, 1)
        server.bind((everywhere, 0))
        client.sendto(b"question", (one, server.getsockname()[1]))
        _, ancillary, _, peer = server.recvmsg(100, SPACE)
        server.sendmsg([b"answer"], reply_from(ancillary), 0, peer)
        data, sender = client.recvfrom(100)
        assert data == b"answer"
        assert sender[0] == one


def test_what_the_kernel_drops_at_a_full_queue_is_told() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        server.bind(("127.0.0.1", 0))
        assert datagram.lost_in_queue(server) == 0
        for _ in range(100):
            client.sendto(bytes(1000), server.getsockname())
        server.setblocking(False)
        arrived = 0
        with pytest.raises(BlockingIOError):
            while server.recv(1000):
                arrived += 1
        assert datagram.lost_in_queue(server) == 100 - arrived > 0


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
@pytest.mark.parametrize("size", [0, 1, 100, 1472, 9000, 60000])
def test_of_what_is_queued_never_too_little_is_told(family: socket.AddressFamily, host: str, size: int) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, socket.SOCK_DGRAM) as client:
        server.setblocking(False)
        server.bind((host, 0))
        client.connect(server.getsockname())
        assert queued_at_most(server) == 0
        told = []
        for _ in range(1000):  # those that find no room are dropped
            client.send(bytes(size))
            told.append(queued_at_most(server))
        queued = 0
        with pytest.raises(BlockingIOError):
            while True:
                server.recv(1)
                queued += 1
        assert queued > 0
        assert all(at_most >= min(sent, queued) for sent, at_most in enumerate(told, 1))
        assert queued_at_most(server) == 0


def test_of_a_train_that_is_queued_never_too_little_is_told() -> None:
    """Where trains are not taken, it is cut as it is queued."""
    with socket.socket(type=socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        server.bind(("127.0.0.1", 0))
        client.connect(server.getsockname())
        client.sendmsg([bytes(60)], [cut_into(1)])
        assert queued_at_most(server) >= 60


def test_a_train_is_as_many_datagrams_as_its_cut_makes() -> None:
    assert datagram.datagrams_in(3000, 1200) == 3
    assert datagram.datagrams_in(2400, 1200) == 2
    assert datagram.datagrams_in(2400, 0) == 1


def test_there_are_never_more_datagrams_in_a_queue_than_we_say() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.bind(("127.0.0.1", 0))
        assert datagram.queued_at_most(server) == 0
        for number in range(1, 51):
            client.sendto(b"", server.getsockname())
            assert number <= datagram.queued_at_most(server) < 10 * number
