"""Filters: which sessions they mean, and what is said of texts that mean nothing."""

from typing import Any

import pytest

from l4d.address import Inet, Unix
from l4d.session.filter import NAMES, Filter, client_of
from l4d.session.ids import id_text
from l4d.session.session import Session
from tests.unit.making import Clock, Row

NOW = 1000.0


def session(client: object = ("10.0.0.7", 51812), row: Row | None = None, **server: Any) -> Session:
    """One of the listener web, upstream db, served by the server one."""
    row = row or Row()
    made = Session(row.service(Clock(NOW).as_loop(), row.place(**server)), client, 80, 2)
    row.served(made)
    return made


def means(one: Session, at: float = NOW, **texts: str) -> bool:
    return Filter(texts).matches(one, at)


def test_without_any_text_every_session_is_meant() -> None:
    assert means(session())
    assert Filter({}).texts == {}


def test_listener_and_upstream_are_found_by_name() -> None:
    one = session()
    assert means(one, listener="web", upstream="db")
    assert not means(one, listener="we")
    assert not means(one, listener="web", upstream="web")


@pytest.mark.parametrize("text", ["two", "db/two", "10.0.0.2:5432"])
def test_a_server_is_found_by_its_name_with_or_without_the_upstream_and_by_its_address(text: str) -> None:
    assert means(session(name="two", address=Inet("10.0.0.2", 5432)), server=text)
    assert not means(session(name="three", address=Inet("10.0.0.3", 5432)), server=text)


def test_a_server_with_the_port_of_the_client_is_found_by_where_it_is_dialled() -> None:
    one = session(address=Inet("10.0.0.1", 0))
    assert means(one, server="10.0.0.1:80")
    assert not means(one, server="10.0.0.1:81")


@pytest.mark.parametrize("text", ["db.example:80", "db/db.example:80", "db.example:80#1", "db/db.example:80#1"])
def test_all_addresses_of_a_name_are_found_by_the_name_and_one_by_its_number(text: str) -> None:
    row = Row()
    made = Session(row.service(Clock(NOW).as_loop()), ("10.0.0.7", 1), 80, 2)
    assert not means(made, server=text)
    made.served_by(row.seated(Inet("10.0.0.9", 80)))
    assert means(made, server=text)
    assert not means(made, server="db.example:80#2")


def test_a_name_that_ends_in_a_slash_is_no_server() -> None:
    assert not means(session(), server="db/")


@pytest.mark.parametrize(
    "text", ["10.0.0.7", "10.0.0.7:51812", "10.0.0.0/8", "10.0.0.7/24", "::ffff:10.0.0.7", "::ffff:10.0.0.0/104"]
)
@pytest.mark.parametrize("client", [("10.0.0.7", 51812), ("::ffff:10.0.0.7", 51812, 0, 0)])
def test_an_ipv4_client_is_the_same_over_any_socket(text: str, client: object) -> None:
    assert means(session(client), client=text)
    assert not means(session(("11.0.0.7", 51813)), client=text)


@pytest.mark.parametrize(
    "text", ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:443", "2001:DB8::/32", "2001:db8:0::7"]
)
def test_an_ipv6_client_is_found_however_its_address_is_spelled(text: str) -> None:
    assert means(session(("2001:db8::7", 443, 0, 0)), client=text)
    assert not means(session(("2001:db9::7", 443, 0, 0)), client=text)
    assert not means(session(), client=text)


def test_an_ipv6_network_has_no_ipv4_clients_but_those_that_it_means() -> None:
    assert not means(session(("::ffff:10.0.0.7", 1, 0, 0)), client="::/0")


def test_a_client_of_its_own_link_is_found_with_or_without_the_link() -> None:
    assert means(session(("fe80::1%eth0", 443, 0, 2)), client="fe80::1")
    assert means(session(("fe80::1%eth0", 443, 0, 2)), client="fe80::1%eth0")


def test_a_port_alone_is_another_client() -> None:
    assert not means(session(), client="10.0.0.7:51813")


@pytest.mark.parametrize("client", ["", "/run/client", b"\0name"])
def test_clients_of_unix_sockets_are_found_by_that_word(client: object) -> None:
    assert means(session(client), client="unix")
    assert not means(session(client), client="0.0.0.0/0")
    assert not means(session(), client="unix")


def test_a_session_is_older_once_that_time_has_passed() -> None:
    one = session()
    assert not means(one, NOW + 599.9, older="10m")
    assert means(one, NOW + 600, older="10m")
    assert means(one, NOW, older="0")


def test_a_session_is_found_by_its_number() -> None:
    one = session()
    assert means(one, id=id_text(one.id))
    assert not means(one, id=id_text(one.id + 1))
    assert not means(one, id="0" * 16)


def test_all_that_is_given_must_be_so() -> None:
    one = session()
    texts = {
        "listener": "web",
        "upstream": "db",
        "server": "one",
        "client": "10.0.0.0/8",
        "older": "0",
        "id": id_text(one.id),
    }
    assert set(texts) == set(NAMES)
    assert Filter(texts).matches(one, NOW)
    assert not any(Filter({**texts, name: other}).matches(one, NOW) for name, other in OTHERS.items())


OTHERS = {
    "listener": "dns",
    "upstream": "pg",
    "server": "two",
    "client": "11.0.0.0/8",
    "older": "1s",
    "id": "0123456789abcdef",
}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("listner", "web", r"listner: sessions are not found by that; did you mean 'listener'\?"),
        ("listener", "", "listener: is empty"),
        ("client", "", "client: is empty"),
        ("client", "example.org", "client: 'example.org' is no address; write it as 10.0.0.7, "),
        ("client", "10.0.0.7:", "no port that there is"),
        ("client", "10.0.0.7:0", "no port that there is"),
        ("client", "10.0.0.7:65536", "no port that there is"),
        ("client", "10.0.0.7:\u0664", "no port that there is"),
        ("client", "10.0.0.256", "is no address"),
        ("client", "10.0.0.0/33", "client: '10.0.0.0/33' is no network; write it as 10.0.0.0/8"),
        ("client", "10.0.0.0/8/8", "is no network"),
        ("older", "10 minutes", "older: must be a duration like"),
        ("older", "-1s", "older: must be a duration like"),
        ("id", "12", "id: '12' is none; the sessions' ids have sixteen hexadecimal digits"),
        ("id", "0123456789abcdeg", "id: "),
    ],
)
def test_a_text_that_means_nothing_is_told_with_the_way_out(name: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Filter({name: text})


def test_the_texts_make_the_same_filter_again() -> None:
    texts = {"client": "10.0.0.0/8", "older": "10m"}
    assert Filter(Filter(texts).texts).texts == texts


def test_one_client_is_an_address_and_perhaps_a_port() -> None:
    assert [str(client_of("::ffff:10.0.0.7")[0]), client_of("[::1]:80")[1], client_of("::1")[1]] == ["10.0.0.7", 80, 0]
    with pytest.raises(ValueError, match="is no address"):
        client_of("10.0.0.0/8")


def test_the_server_of_a_unix_socket_is_found_by_its_path() -> None:
    assert means(session(address=Unix("/run/app")), server="unix:/run/app")
