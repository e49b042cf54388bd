"""Steering: the kernel gives a client to the socket that `slot_of` names, and to each socket its share."""

import itertools
import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from l4d.address import Inet, SockAddr
from l4d.config.model import Listener
from l4d.linux import listening, steering
from l4d.terms import Protocol
from tests.unit.making import listener

TCP = listener()
UDP = listener(protocol=Protocol.UDP)
IPV6_FREEBIND = 78  # any source address, though no interface has it (ipv6(7))
IP_OPTIONS = 4
SOCKETS_AND_SLOTS = [(1, 1), (2, 2), (3, 3), (8, 8), (4, 2), (8, 3)]


@contextmanager
def group(config: Listener, host: str, sockets: int, slots: int) -> Iterator[list[socket.socket]]:
    """So many sockets on one address, steered from the first one on."""
    address = Inet(host, 0)
    with ExitStack() as opened:
        members: list[socket.socket] = []
        for _ in range(sockets):
            sock = opened.enter_context(listening.bind(config, address))
            address = Inet(host, sock.getsockname()[1])
            listening.listen(sock, config)
            members.append(sock)
            if len(members) == 1:
                steering.attach(sock, slots)
        yield members


def senders(members: list[socket.socket]) -> Iterator[tuple[int, SockAddr]]:
    """The number of a socket and the client, for each datagram that waits."""
    for number, sock in enumerate(members):
        while True:
            try:
                yield number, sock.recvfrom(10)[1]
            except BlockingIOError:
                break


def connected(members: list[socket.socket]) -> Iterator[tuple[int, SockAddr]]:
    """The number of a socket and the client, for each connection that waits."""
    for number, sock in enumerate(members):
        while True:
            try:
                accepted, client = sock.accept()
            except BlockingIOError:
                break
            accepted.close()
            yield number, client


def sources(host: str) -> Iterator[str]:
    """Client addresses from which *host*, of the loopback, can be written to."""
    if ":" in host:
        return itertools.cycle(["::1", "2001:db8::1", "2001:db8:1:2:3:4:5:6", "fd00:ffff::8000:0"])
    return (f"127.{number % 3}.0.{1 + number % 200}" for number in itertools.count())


def send(target: socket.socket, count: int) -> None:
    """One datagram from each of *count* clients."""
    server = target.getsockname()
    for host in itertools.islice(sources(server[0]), count):
        with socket.socket(target.family, socket.SOCK_DGRAM) as client:
            if target.family == socket.AF_INET6:
                client.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            client.bind((host, 0))
            client.sendto(b"x", server)


def check(seen: list[tuple[int, SockAddr]], clients: int, slots: int) -> None:
    """Each client is where `slot_of` says, and no slot was left out."""
    assert len(seen) == clients
    assert [number for number, _ in seen] == [steering.slot_of(client, slots) for _, client in seen]
    assert {number for number, _ in seen} == set(range(slots))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
@pytest.mark.parametrize(("sockets", "slots"), SOCKETS_AND_SLOTS)
def test_a_udp_client_is_where_its_address_says(host: str, sockets: int, slots: int) -> None:
    with group(UDP, host, sockets, slots) as members:
        send(members[0], 200)
        check(list(senders(members)), 200, slots)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(("sockets", "slots"), SOCKETS_AND_SLOTS)
def test_a_tcp_client_is_where_its_address_says(host: str, sockets: int, slots: int) -> None:
    local = ["::1"] if host == "::1" else list(itertools.islice(sources(host), 100))
    with group(TCP, host, sockets, slots) as members, ExitStack() as clients:
        for source in itertools.islice(itertools.cycle(local), 100):
            clients.enter_context(socket.create_connection(members[0].getsockname()[:2], source_address=(source, 0)))
        check(list(connected(members)), 100, slots)


def test_a_client_that_sends_ip_options_is_steered_by_its_port_all_the_same() -> None:
    with group(UDP, "127.0.0.1", 8, 8) as members:
        for _ in range(150):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setsockopt(socket.IPPROTO_IP, IP_OPTIONS, b"\x01\x01\x01\x01")  # no operation, four times
                client.sendto(b"x", members[0].getsockname())
        check(list(senders(members)), 150, 8)


@pytest.mark.parametrize("config", [TCP, UDP])
def test_a_program_is_replaced_while_the_group_is_in_use(config: Listener) -> None:
    with group(config, "127.0.0.1", 4, 1) as members, ExitStack() as clients:
        for slots in (1, 4, 2, 3):
            steering.attach(members[-1], slots)  # any of them stands for the group
            for _ in range(80):
                client = clients.enter_context(socket.socket(members[0].family, members[0].type))
                client.connect(members[0].getsockname())
                if config is UDP:
                    client.send(b"x")
            check(list((senders if config is UDP else connected)(members)), 80, slots)


@pytest.mark.parametrize("config", [TCP, UDP])
def test_a_socket_that_leaves_last_changes_nothing_for_the_others(config: Listener) -> None:
    with group(config, "127.0.0.1", 3, 2) as members, ExitStack() as clients:
        members.pop().close()
        for _ in range(80):
            client = clients.enter_context(socket.socket(members[0].family, members[0].type))
            client.connect(members[0].getsockname())
            if config is UDP:
                client.send(b"x")
        check(list((senders if config is UDP else connected)(members)), 80, 2)


def test_without_a_program_the_kernel_chooses_among_all() -> None:
    with group(UDP, "127.0.0.1", 4, 1) as members:
        send(members[0], 50)
        assert {number for number, _ in senders(members)} == {0}
        steering.detach(members[1])
        steering.detach(members[2])  # again: nothing happens
        send(members[0], 200)
        assert {number for number, _ in senders(members)} == {0, 1, 2, 3}


def test_a_socket_that_shares_with_nobody_cannot_be_steered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as alone, pytest.raises(OSError):
        steering.attach(alone, 2)
    with listening.bind(TCP, Inet("127.0.0.1", 0)) as sock, pytest.raises(OSError):
        steering.attach(sock, 0)


# The sum in Python alone


def test_a_scope_is_no_part_of_the_address() -> None:
    plain = steering.slot_of(("fe80::1", 4000, 0, 0), 1000)
    assert steering.slot_of(("fe80::1%eth0", 4000, 0, 2), 1000) == plain
    assert steering.slot_of(("fe80::1", 4000), 1000) == plain
    assert steering.slot_of(("fe80::2", 4000, 0, 0), 1000) != plain


@pytest.mark.parametrize("slots", [2, 3, 8])
@pytest.mark.parametrize("host", ["10.1.2.3", "127.0.0.1", "2001:db8::1", "::1"])
def test_the_ports_of_one_client_are_spread_evenly(host: str, slots: int) -> None:
    is_even(((host, port) for port in range(20_000, 30_000)), slots)


@pytest.mark.parametrize("slots", [2, 3, 8])
@pytest.mark.parametrize("prefix", ["10.1.{}.{}", "2001:db8::{:x}:{:x}", "2001:db8:{:x}:{:x}::1"])
def test_neighbouring_addresses_are_spread_evenly(prefix: str, slots: int) -> None:
    is_even(((prefix.format(number // 250, number % 250), 5353) for number in range(10_000)), slots)


@pytest.mark.parametrize("step", [2, 8, 256])
def test_ports_at_even_distances_are_spread_evenly(step: int) -> None:
    is_even(((f"10.0.{number}.7", port) for number in range(80) for port in range(1024, 33_000, step)), 8)


def test_ports_and_addresses_at_random_are_spread_evenly() -> None:
    chance = random.Random(5)
    clients = ((socket.inet_ntoa(chance.randbytes(4)), chance.randrange(65536)) for _ in range(10_000))
    is_even(clients, 8)


def is_even(clients: Iterator[SockAddr], slots: int) -> None:
    """Each slot has its share of the clients, within a tenth."""
    counts = Counter(steering.slot_of(client, slots) for client in clients)
    share = counts.total() / slots
    assert set(counts) == set(range(slots))
    assert max(abs(count - share) for count in counts.values()) < share / 10, counts
