"""/etc/hosts: both families, several lines for a name, lines that make no sense."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.names.hosts import Hosts, parse
from tests.unit.making import UNHURRIED


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hosts"


def test_a_name_has_the_addresses_of_all_its_lines(file: Path) -> None:
    file.write_text("192.0.2.1 db.test db\n2001:db8::1\tdb\n192.0.2.2 other\n")
    hosts = Hosts(str(file))
    assert hosts.addresses("db") == ("192.0.2.1", "2001:db8::1")
    assert hosts.addresses("db.test") == ("192.0.2.1",)
    assert hosts.addresses("nobody") == ()


def test_case_and_the_last_dot_do_not_matter(file: Path) -> None:
    file.write_text("192.0.2.1 DB.Test\n")
    assert Hosts(str(file)).addresses("db.tEST.") == ("192.0.2.1",)


def test_bad_lines_are_skipped(file: Path) -> None:
    file.write_text("192.0.2.256 db\n192.0.2.7\nnonsense\n# 192.0.2.8 db\n192.0.2.1 db # 192.0.2.9 db\n")
    assert parse(file.read_text()) == {"db": ("192.0.2.1",)}


def test_an_address_is_there_once_and_in_its_normal_form() -> None:
    assert parse("2001:DB8:0::1 db\n2001:db8::1 db\n") == {"db": ("2001:db8::1",)}


def test_a_file_that_is_not_there_has_no_names_until_it_is(file: Path) -> None:
    hosts = Hosts(str(file))
    assert hosts.addresses("db") == ()
    file.write_text("192.0.2.1 db\n")
    assert hosts.addresses("db") == ("192.0.2.1",)


@UNHURRIED
@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for addresses in parse(text).values():
        assert addresses
