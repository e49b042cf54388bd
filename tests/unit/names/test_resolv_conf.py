"""Whom to ask, and under which names."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from l4d.address import Inet
from l4d.names.resolv_conf import Advice, Advisor, parse
from tests.unit.making import UNHURRIED
from tests.unit.names.asking import NOWHERE

KUBERNETES = """
search shop.svc.cluster.local svc.cluster.local
nameserver 10.96.0.10
options ndots:5 trust-ad
"""


def test_a_short_name_is_looked_for_in_each_domain_before_it_is_taken_as_it_is() -> None:
    advice = parse(KUBERNETES)
    assert advice.nameservers == (Inet("10.96.0.10", 53),)
    assert advice.candidates("db") == ("db.shop.svc.cluster.local.", "db.svc.cluster.local.", "db.")
    assert advice.candidates("www.example.com")[-1] == "www.example.com."


def test_a_name_with_dots_enough_is_first_taken_as_it_is() -> None:
    assert parse("search test.").candidates("db.example") == ("db.example.", "db.example.test.")


def test_an_absolute_name_is_never_completed() -> None:
    assert parse(KUBERNETES).candidates("db.") == ("db.",)


def test_without_a_search_list_there_is_one_name() -> None:
    assert Advice(()).candidates("db") == ("db.",)


def test_the_nameservers_are_the_first_three_that_make_sense() -> None:
    text = "nameserver\nnameserver nonsense\n" + "".join(
        f"nameserver {ip}\n" for ip in ("::1", "fe80::1%lo", "1.1.1.1", "9.9.9.9")
    )
    assert [each.host for each in parse(text).nameservers] == ["::1", "fe80::1%lo", "1.1.1.1"]


def test_without_a_nameserver_the_one_on_this_machine_is_asked() -> None:
    assert parse("# empty\n").nameservers == (Inet("127.0.0.1", 53),)


def test_the_last_of_search_and_domain_holds() -> None:
    assert parse("search a b\ndomain c").search == ("c",)


def test_options_that_make_no_sense_are_skipped() -> None:
    assert parse("options ndots:x ndots rotate\noptions ndots:2").ndots == 2
    assert parse("options ndots:99").ndots == 15
    assert parse("options").ndots == 1


def test_nameservers_of_our_own_take_names_as_they_are() -> None:
    own = Inet("192.0.2.53", 5353)
    advice = Advisor((own,), NOWHERE).advice()
    assert advice.nameservers == (own,)
    assert advice.candidates("db") == ("db.",)


def test_the_file_is_followed_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    advisor = Advisor((), str(path))
    assert (advisor.advice().nameservers, advisor.trouble) == ((), f"{path}: No such file or directory")
    path.write_text("nameserver 192.0.2.1\n")
    assert advisor.advice().nameservers == (Inet("192.0.2.1", 53),)
    path.write_text("nameserver 192.0.2.22\n")
    assert advisor.advice().nameservers == (Inet("192.0.2.22", 53),)


@UNHURRIED
@given(st.text(alphabet="nameserver chdoiptns:.123\n#;\x00é"))
def test_no_text_is_too_strange(text: str) -> None:
    advice = parse(text)
    assert advice.nameservers
    assert advice.candidates("db")
