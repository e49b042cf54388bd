"""How addresses are read."""

from collections.abc import Callable

import pytest

from l4d.address import SAME_PORT, Address, Inet, Unix
from l4d.config.addresses import dial_written, to_bind, to_dial, to_dial_from
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
    ],
)
def test_an_address_to_dial_is_one(text: str, address: Address) -> None:
    assert to_dial(text).addresses == (address,)
    assert to_dial(dial_written(address)).addresses == (address,)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("localhost:80", "'localhost': names are not resolved in this version; write the IP address"),
        ("db.example", "'db.example': names are not resolved in this version; write the IP address"),
        ("*:80", "'*' is not an IP address"),
        ("10.0.0.1:0", "'10.0.0.1:0' has port 0; a server has a port from 1 to 65535"),
        ("10.0.0.1:1-2", "'10.0.0.1:1-2': '1-2' is not a port from 0 to 65535"),
    ],
)
def test_a_wrong_address_to_dial_is_refused_with_a_way_out(value: object, said: str) -> None:
    assert refusal(to_dial, value) == said


def test_the_address_to_dial_from_has_no_port() -> None:
    assert to_dial_from("") == ""
    assert to_dial_from("::0:1") == "::1"
    assert refusal(to_dial_from, "1.2.3.4:5") == "'1.2.3.4:5' is not an IP address"
    assert refusal(to_dial_from, "client") == "'client' is not available in this version; write an IP address"
    assert refusal(to_dial_from, "eth0") == "'eth0': write an IP address"
