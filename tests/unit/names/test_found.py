"""Addresses as servers of an upstream: the entry's port and weight, each address once."""

from l4d.address import SAME_PORT, Inet
from l4d.names.found import MOST_WEIGHT, Found, all_for_entry, distinct, of_host
from tests.unit.names.asking import host, service

ONE, TWO = Inet("192.0.2.1", 80), Inet("192.0.2.2", 80)


def test_an_address_of_a_host_has_the_port_and_the_weight_of_the_entry() -> None:
    entry = host(port=5432, weight=3, backup=True)
    assert of_host("192.0.2.1").for_entry(entry) == Found(Inet("192.0.2.1", 5432), 3, backup=True)


def test_an_entry_without_a_port_leaves_that_of_the_listener() -> None:
    assert of_host("::1").for_entry(host(port=SAME_PORT)).address == Inet("::1", SAME_PORT)


def test_a_target_has_its_own_port_and_its_weight_times_that_of_the_entry() -> None:
    assert Found(ONE, 5).for_entry(service(weight=3)) == Found(ONE, 15)
    assert Found(ONE, 5, backup=True).for_entry(service()).backup


def test_a_weight_is_never_more_than_a_seat_can_hold() -> None:
    assert Found(ONE, 60000).for_entry(service(weight=2)).weight == MOST_WEIGHT


def test_what_is_found_twice_is_one_server_in_its_better_role() -> None:
    found = [Found(TWO), Found(ONE, 9, backup=True), Found(ONE, 2), Found(ONE, 3)]
    assert distinct(found) == distinct(reversed(found)) == (Found(ONE, 3), Found(TWO))


def test_two_targets_that_differ_by_port_are_one_server_for_an_entry_that_has_its_own() -> None:
    found = [Found(ONE), Found(ONE.with_port(81))]
    assert len(all_for_entry(found, service())) == 2
    assert all_for_entry(found, host(port=5432)) == (Found(Inet("192.0.2.1", 5432)),)
