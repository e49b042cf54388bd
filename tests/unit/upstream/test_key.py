"""What a session is hashed by."""

from collections import Counter
from itertools import permutations

import pytest

from l4d.terms import HashKey
from l4d.upstream.key import make_key

CLIENT = make_key([HashKey.CLIENT])


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    """It is what `printf 192.0.2.1 | b2sum -l 64` says, and the like."""
    assert CLIENT(("192.0.2.1", 1234), 80) == 0xC874FACE288B2811
    assert make_key(list(HashKey))(("2001:db8::1", 1234, 0, 0), 80) == 0x377342C4098F61B5


def test_the_client_is_its_address_without_the_port() -> None:
    assert CLIENT(("192.0.2.1", 1), 80) == CLIENT(("192.0.2.1", 2), 443)
    assert CLIENT(("192.0.2.1", 1), 80) != CLIENT(("192.0.2.2", 1), 80)
    assert CLIENT(("2001:db8::1", 1, 0, 0), 80) == CLIENT(("2001:db8::1", 2, 5, 3), 80)


def test_an_ipv4_client_is_the_same_over_an_ipv6_socket() -> None:
    assert CLIENT(("::ffff:192.0.2.1", 1, 0, 0), 80) == CLIENT(("192.0.2.1", 1), 80)
    assert CLIENT(("::ffff:c000:201", 1, 0, 0), 80) != CLIENT(("c000:201", 1), 80)


def test_each_part_counts_where_it_is_asked_for() -> None:
    client_port, listener_port = make_key([HashKey.CLIENT_PORT]), make_key([HashKey.LISTENER_PORT])
    assert client_port(("192.0.2.1", 7), 80) == client_port(("192.0.2.9", 7), 443) != client_port(("192.0.2.1", 8), 80)
    assert listener_port(("192.0.2.1", 7), 80) == listener_port(("::1", 8, 0, 0), 80) != listener_port(("::1", 8), 443)


def test_the_order_of_the_parts_counts() -> None:
    assert len({make_key(parts)(("192.0.2.1", 7), 80) for parts in permutations(HashKey)}) == 6


def test_the_parts_do_not_run_into_each_other() -> None:
    ports = make_key([HashKey.CLIENT_PORT, HashKey.LISTENER_PORT])
    assert ports(("192.0.2.1", 11), 1) != ports(("192.0.2.1", 1), 11)


@pytest.mark.parametrize("client", ["", "/run/client", b"\0abstract", None])
def test_clients_of_a_unix_socket_are_all_alike(client: object) -> None:
    assert CLIENT(client, 0) == CLIENT("", 0)
    assert make_key([HashKey.CLIENT_PORT])(client, 0) == CLIENT("", 0)


def test_neighbours_are_spread_evenly() -> None:
    """Of 16,384 clients in a row each of 16 buckets has its 1024 within five standard deviations."""
    buckets = Counter(CLIENT((f"10.0.{n >> 8}.{n & 255}", 1), 80) % 65537 * 16 // 65537 for n in range(16_384))
    assert all(abs(count - 1024) < 5 * 1024**0.5 for count in buckets.values())
