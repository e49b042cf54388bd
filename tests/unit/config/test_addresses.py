"""How addresses are read."""

from collections.abc import Callable

import pytest

from l4d.address import SAME_PORT, Address, Host, Inet, Named, Srv, Unix
from l4d.config.addresses import (
    dial_written,
    is_name,
    listen_written,
    name_written,
    nameserver_written,
    network,
    network_written,
    socket_path,
    to_ask,
    to_bind,
    to_dial,
    to_dial_from,
    to_listen,
    to_look_up,
)
from l4d.config.values import Wrong


def refusal(read: Callable[[object], object], value: object) -> str:
    with pytest.raises(Wrong) as caught:
        read(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("1.2.3.4:80", [Inet("1.2.3.4", 80)]),
        ("127.0.0.1:0", [Inet("127.0.0.1", 0)]),
        ("[::0:1]:80", [Inet("::1", 80)]),
        ("[fe80::1%eth0]:80", [Inet("fe80::1%eth0", 80)]),
        ("*:80", [Inet("0.0.0.0", 80), Inet("::", 80)]),
        ("1.2.3.4:7000-7002", [Inet("1.2.3.4", port) for port in (7000, 7001, 7002)]),
        ("*:1-2", [Inet("0.0.0.0", 1), Inet("::", 1), Inet("0.0.0.0", 2), Inet("::", 2)]),
        ("unix:/run/x.sock", [Unix("/run/x.sock")]),
    ],
)
def test_an_address_to_bind_stands_for_one_or_many(text: str, addresses: list[Address]) -> None:
    written = to_bind(text)
    assert written.text == text
    assert list(written.addresses) == addresses


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (80, "must be a string, not 80"),
        ("", "must be an address like '10.0.0.1:80', not ''"),
        ("1.2.3.4: 80", "must be an address like '10.0.0.1:80', not '1.2.3.4: 80'"),
        ("80", "'80' has no address; write it as '*:80'"),
        (":80", "':80' has no address; write it as '*:80'"),
        ("1.2.3.4", "'1.2.3.4' has no port; write it as '1.2.3.4:PORT'"),
        ("::1", "'::1' has no port; write it as '[::1]:PORT'"),
        ("[::1]", "'[::1]' has no port; write it as '[::1]:PORT'"),
        ("[::1", "'[::1' is not an address; write it as '[::1]:80'"),
        ("[::1]80", "'[::1]80' is not an address; write it as '[::1]:80'"),
        ("[1.2.3.4]:80", "'[1.2.3.4]:80' is not an address; write it as '[::1]:80'"),
        ("localhost:80", "'localhost': bind to an IP address, or to '*' for every one"),
        ("1.2.3.400:80", "'1.2.3.400' is not an IP address"),
        ("?:80", "'?' is not an IP address"),
        ("1.2.3.4:", "'1.2.3.4:': '' is not a port from 0 to 65535"),
        ("1.2.3.4:65536", "'1.2.3.4:65536': '65536' is not a port from 0 to 65535"),
        ("1.2.3.4:http", "'1.2.3.4:http': 'http' is not a port from 0 to 65535"),
        ("1.2.3.4:9-7", "'1.2.3.4:9-7': a range of ports goes from the lower to the higher, as in '7000-7009'"),
        ("1.2.3.4:0-7", "'1.2.3.4:0-7': a range of ports goes from the lower to the higher, as in '7000-7009'"),
        ("unix:x", "'unix:x': the path of a unix socket must be absolute, as in 'unix:/run/l4d.sock'"),
    ],
)
def test_a_wrong_address_to_bind_is_refused_with_a_way_out(value: object, said: str) -> None:
    assert refusal(to_bind, value) == said


def test_an_address_of_the_admin_api_is_one_over_tcp_or_none() -> None:
    assert to_listen("").addresses == ()
    assert to_listen("[::0:1]:9000").addresses == (Inet("::1", 9000),)
    assert listen_written(Inet("::1", 9000)) == "[::1]:9000"
    assert listen_written(None) == ""
    assert refusal(to_listen, "*:9000") == "'*:9000' is more than one address; write it as '0.0.0.0:9000'"
    assert refusal(to_listen, "127.0.0.1:1-2") == "'127.0.0.1:1-2' is more than one address; write it as '127.0.0.1:1'"
    assert refusal(to_listen, "unix:/x") == (
        "'unix:/x' is a unix socket, which 'socket' is for; write it as '127.0.0.1:PORT'"
    )
    assert refusal(to_listen, 9000) == "must be a string, not 9000"


def test_the_path_of_a_unix_socket_is_absolute_or_there_is_none() -> None:
    assert socket_path("") == ""
    assert socket_path("/run/l4d x.sock") == "/run/l4d x.sock"
    assert refusal(socket_path, "l4d.sock") == (
        "'l4d.sock': the path of a unix socket must be absolute, as in '/run/l4d.sock'"
    )
    assert refusal(socket_path, "unix:/run/x") == "'unix:/run/x': write the path alone, as in '/run/x'"
    assert "longer than 107 bytes" in refusal(socket_path, "/" + "x" * 107)


@pytest.mark.parametrize(
    ("text", "as_written"), [("10.0.0.0/8", "10.0.0.0/8"), ("::1", "::1/128"), ("1.2.3.4", "1.2.3.4/32")]
)
def test_a_network_is_one_or_an_address(text: str, as_written: str) -> None:
    assert network_written(network(text)) == as_written


def test_a_wrong_network_is_refused_with_a_way_out() -> None:
    assert refusal(network, "10.0.0.1/8") == "'10.0.0.1/8' is an address within a network; write it as '10.0.0.0/8'"
    for wrong in ("10.0.0.0/33", "localhost", "", "unix"):
        assert refusal(network, wrong) == f"must be a network like '10.0.0.0/8' or '::1/128', not '{wrong}'"
    assert refusal(network, 1) == "must be a string, not 1"


def test_a_unix_path_is_as_long_as_the_kernel_takes() -> None:
    assert to_bind("unix:/" + "x" * 106).addresses == (Unix("/" + "x" * 106),)
    assert "longer than 107 bytes" in refusal(to_bind, "unix:/" + "x" * 107)
    assert "longer than 107 bytes" in refusal(to_dial, "unix:/" + "ü" * 54)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1:80", Inet("10.0.0.1", 80)),
        ("[::1]:80", Inet("::1", 80)),
        ("10.0.0.1", Inet("10.0.0.1", SAME_PORT)),
        ("[::1]", Inet("::1", SAME_PORT)),
        ("::1", Inet("::1", SAME_PORT)),
        ("unix:/run/x", Unix("/run/x")),
        ("db.example:5432", Host("db.example", 5432)),
        ("DB.Example.:5432", Host("db.example.", 5432)),
        ("localhost", Host("localhost", SAME_PORT)),
        ("db_1:1", Host("db_1", 1)),
    ],
)
def test_an_address_to_dial_is_one_or_a_name(text: str, address: Address | Named) -> None:
    assert to_dial(text).text == text
    assert to_dial(text).address == address
    assert to_dial(dial_written(address)).address == address


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (["a"], "must be a string, not a list"),
        ("", "must be an address like '10.0.0.1:80', not ''"),
        (":80", "':80' has no address; write it as '10.0.0.1:80'"),
        ("*:80", "'*' is neither an IP address nor a name"),
        ("10.0.0.256:80", "'10.0.0.256' is neither an IP address nor a name"),
        ("-db.example:80", "'-db.example' is neither an IP address nor a name"),
        ("http://db.example:80", "'http://db.example:80' is neither an IP address nor a name"),
        ("[db.example]:80", "'[db.example]:80' is not an address; write it as '[::1]:80'"),
        ("10.0.0.1:0", "'10.0.0.1:0' has port 0; a server has a port from 1 to 65535"),
        ("db.example:0", "'db.example:0' has port 0; a server has a port from 1 to 65535"),
        ("db.example:http", "'db.example:http': 'http' is not a port from 0 to 65535"),
        ("10.0.0.1:1-2", "'10.0.0.1:1-2': '1-2' is not a port from 0 to 65535"),
    ],
)
def test_a_wrong_address_to_dial_is_refused_with_a_way_out(value: object, said: str) -> None:
    assert refusal(to_dial, value) == said


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("localhost", True),
        ("_pg._tcp.db.example", True),
        ("a-b.c1.", True),
        ("a" * 63 + ".b", True),
        (".".join(["a" * 63] * 3 + ["a" * 61]), True),
        (".".join(["a" * 63] * 3 + ["a" * 62]), False),
        ("a" * 64 + ".b", False),
        ("", False),
        (".", False),
        ("a..b", False),
        (".a", False),
        ("a-.b", False),
        ("1.2.3.4", False),
        ("db.1", False),
        ("b\u00fccher.example", False),
        ("a b", False),
    ],
)
def test_a_name_is_made_of_labels(name: str, is_one: bool) -> None:
    assert is_name(name) is is_one


def test_the_name_of_an_srv_record_has_no_port() -> None:
    assert to_look_up("_pg._tcp.db.example") == Srv("_pg._tcp.db.example")
    assert name_written(Srv("pg.service.consul")) == "pg.service.consul"
    assert refusal(to_look_up, "db.example:1") == (
        "'db.example:1' is not a name; write it as '_postgres._tcp.example.com'"
    )
    assert refusal(to_look_up, "") == "'' is not a name; write it as '_postgres._tcp.example.com'"
    assert refusal(to_look_up, 3) == "must be a string, not 3"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9.9.9.9", Inet("9.9.9.9", 53)),
        ("9.9.9.9:5353", Inet("9.9.9.9", 5353)),
        ("::1", Inet("::1", 53)),
        ("[fe80::1%eth0]:54", Inet("fe80::1%eth0", 54)),
    ],
)
def test_a_nameserver_has_an_ip_address_and_a_port(text: str, address: Inet) -> None:
    assert to_ask(text) == address
    assert to_ask(nameserver_written(address)) == address


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (53, "must be a string, not 53"),
        ("dns.example", "'dns.example': a nameserver is given by its IP address"),
        ("unix:/run/x", "'unix': a nameserver is given by its IP address"),
        ("9.9.9.9:", "'9.9.9.9:': '' is not a port from 0 to 65535"),
        ("9.9.9.9:0", "'9.9.9.9:0' has port 0; a nameserver has a port from 1 to 65535"),
        ("*:53", "'*' is not an IP address"),
    ],
)
def test_a_wrong_nameserver_is_refused_with_a_way_out(value: object, said: str) -> None:
    assert refusal(to_ask, value) == said


def test_the_address_to_dial_from_has_no_port() -> None:
    assert to_dial_from("") == ""
    assert to_dial_from("::0:1") == "::1"
    assert refusal(to_dial_from, "1.2.3.4:5") == "'1.2.3.4:5' is not an IP address"
    assert refusal(to_dial_from, "client") == "'client' is not available in this version; write an IP address"
    assert refusal(to_dial_from, "eth0") == "'eth0': write an IP address"
