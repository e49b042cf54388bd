"""Addresses as the kernel takes them."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.address import Address, Host, Inet, Srv, Unix, from_sockaddr, from_text, normal_host


def test_an_ipv4_address_is_what_the_kernel_takes() -> None:
    address = Inet("10.0.0.1", 80)
    assert address.family is socket.AF_INET
    assert address.sockaddr == ("10.0.0.1", 80)
    assert str(address) == "10.0.0.1:80"


def test_an_ipv6_address_has_brackets_in_print_only() -> None:
    address = Inet("::1", 80)
    assert address.family is socket.AF_INET6
    assert address.sockaddr == ("::1", 80)
    assert str(address) == "[::1]:80"


def test_a_path_is_an_address_too() -> None:
    address = Unix("/run/db.sock")
    assert address.family is socket.AF_UNIX
    assert address.sockaddr == "/run/db.sock"
    assert str(address) == "unix:/run/db.sock"


def test_only_the_two_all_addresses_are_wildcards() -> None:
    assert Inet("0.0.0.0", 53).wildcard
    assert Inet("::", 53).wildcard
    assert not Inet("127.0.0.1", 53).wildcard
    assert not Inet("::1", 53).wildcard


def test_the_same_host_on_another_port_is_another_address() -> None:
    first = Inet("::1", 80)
    assert first.with_port(81) == Inet("::1", 81)
    assert first == Inet("::1", 80)


def test_addresses_of_one_kind_have_an_order() -> None:
    assert sorted([Inet("b", 1), Inet("a", 2), Inet("a", 1)]) == [Inet("a", 1), Inet("a", 2), Inet("b", 1)]


def test_what_the_kernel_tells_of_an_ipv6_peer_is_read_without_flow_and_scope() -> None:
    assert from_sockaddr(("fe80::1", 4000, 0, 2)) == Inet("fe80::1", 4000)


def test_the_client_of_a_unix_socket_may_have_a_path_or_no_name() -> None:
    assert from_sockaddr("/tmp/me") == Unix("/tmp/me")
    assert from_sockaddr("") == Unix("")
    assert from_sockaddr(b"\0abstract") == Unix("")
    assert from_sockaddr(None) == Unix("")


def test_an_ip_address_has_one_spelling() -> None:
    assert normal_host("::0:1") == "::1"
    assert normal_host("2001:DB8::0") == "2001:db8::"
    assert normal_host("10.0.0.1") == "10.0.0.1"


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.256", "010.0.0.1", "1.2.3.4:5", "[::1]"])
def test_what_is_no_ip_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        normal_host(text)


def test_addresses_overlap_when_a_client_of_one_could_reach_the_other() -> None:
    assert Inet("10.0.0.1", 80).overlaps(Inet("10.0.0.1", 80))
    assert Inet("10.0.0.1", 80).overlaps(Inet("0.0.0.0", 80))
    assert Inet("::", 80).overlaps(Inet("::1", 80))
    assert not Inet("10.0.0.1", 80).overlaps(Inet("10.0.0.2", 80))
    assert not Inet("10.0.0.1", 80).overlaps(Inet("0.0.0.0", 81))
    assert not Inet("::1", 80).overlaps(Inet("0.0.0.0", 80))


def test_names_are_written_as_they_were_given() -> None:
    assert str(Host("db.example", 5432)) == "db.example:5432"
    assert str(Srv("_pg._tcp.example")) == "_pg._tcp.example"


HOSTS = st.ip_addresses().map(str)
PATHS = st.text(min_size=1, max_size=20).filter(str.isprintable)


@given(st.builds(Inet, HOSTS, st.integers(0, 65535)) | st.builds(Unix, PATHS))
def test_an_address_is_read_back_from_its_text(address: Address) -> None:
    assert from_text(str(address)) == address


@pytest.mark.parametrize("address", [Inet("10.0.0.1", 80), Inet("::1", 0), Unix("/run/db.sock"), Unix("")])
def test_the_text_of_an_address_is_enough_to_have_it_again(address: Address) -> None:
    assert from_text(str(address)) == address


@given(st.text(max_size=20))
def test_a_path_stays_one_line_of_text_whatever_is_in_it(path: str) -> None:
    text = str(Unix(path))
    assert text.isprintable()
    assert isinstance(from_text(text), Unix)


@pytest.mark.parametrize("text", ["", "db.example:80", "10.0.0.1", "10.0.0.1:http", "[::1]", "::1", ":80", "unix/run"])
def test_what_is_no_text_of_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|invalid literal"):
        from_text(text)
