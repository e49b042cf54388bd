"""What a name stands for: parts that fail are as they were, a name that is lost takes nothing away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.address import SAME_PORT, Host, Inet, Srv
from l4d.names.found import Found
from l4d.names.hosts import Hosts
from l4d.names.meaning import Answer, Meaning
from tests.kit import Manner, Nameserver
from tests.unit.names.asking import lookup, run

DB = Host("db.test", 0)
SERVICE = Srv("_pg._tcp.test")


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        yield nameserver


class Asked:
    """A name, asked for as often as the test likes."""

    def __init__(self, nameserver: Nameserver, name: Host | Srv = DB, hosts: Hosts | None = None) -> None:
        self._meaning = Meaning(name, lookup(nameserver.address), hosts)

    def answer(self) -> Answer:
        return run(self._meaning.ask())


def addresses(answer: Answer) -> list[str]:
    return [one.address.host for one in answer.found]


def test_a_host_is_all_its_addresses_of_both_families(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.2", "192.0.2.1", ttl=30)
    nameserver.set("db.test", "AAAA", "2001:db8::1", ttl=20)
    answer = Asked(nameserver).answer()
    assert addresses(answer) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    assert (answer.ttl, answer.failed, answer.trouble) == (20, False, "")


def test_a_family_that_is_answered_with_nothing_loses_its_addresses(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")
    nameserver.set("db.test", "AAAA", "2001:db8::1")
    asked = Asked(nameserver)
    asked.answer()
    nameserver.set("db.test", "AAAA")
    answer = asked.answer()
    assert (addresses(answer), answer.trouble) == (["192.0.2.1"], "")


def test_a_family_that_fails_keeps_its_addresses_while_the_other_changes(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")
    nameserver.set("db.test", "AAAA", "2001:db8::1")
    asked = Asked(nameserver)
    asked.answer()
    nameserver.set("db.test", "A", "192.0.2.2")
    nameserver.behave(Manner.SERVFAIL, "db.test", "AAAA")
    answer = asked.answer()
    assert addresses(answer) == ["192.0.2.2", "2001:db8::1"]
    assert (answer.failed, answer.trouble) == (True, f"AAAA: {nameserver.address}: SERVFAIL")


def test_when_both_fail_everything_is_as_it_was(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")
    asked = Asked(nameserver)
    asked.answer()
    nameserver.behave(Manner.REFUSED)
    answer = asked.answer()
    assert (addresses(answer), answer.failed) == (["192.0.2.1"], True)
    assert answer.trouble == f"{nameserver.address}: REFUSED"


def test_a_name_that_is_gone_says_nothing_new_and_has_a_reason(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")
    asked = Asked(nameserver)
    asked.answer()
    nameserver.forget("db.test")
    assert asked.answer() == Answer(trouble="no such name")


def test_a_name_that_never_was_stands_for_nothing(nameserver: Nameserver) -> None:
    assert Asked(nameserver).answer() == Answer(trouble="no such name")


def test_nothing_of_one_family_and_a_failure_of_the_other_say_nothing(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")
    asked = Asked(nameserver)
    asked.answer()
    nameserver.set("db.test", "A")
    nameserver.behave(Manner.SERVFAIL, "db.test", "AAAA")
    answer = asked.answer()
    assert (addresses(answer), answer.failed) == ([], True)
    nameserver.behave(Manner.SERVFAIL, "db.test", "A")
    assert addresses(asked.answer()) == ["192.0.2.1"]


def test_an_address_that_makes_no_sense_is_left_out_and_that_is_said(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", "0.0.0.0")
    answer = Asked(nameserver).answer()
    assert addresses(answer) == ["192.0.2.1"]
    assert answer.trouble == "0.0.0.0 is left out: it is no server's address"


def test_only_addresses_that_make_no_sense_take_nothing_away(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")
    asked = Asked(nameserver)
    asked.answer()
    nameserver.set("db.test", "A", "0.0.0.0")
    assert asked.answer() == Answer(ttl=60, trouble="0.0.0.0 is left out: it is no server's address")


def test_etc_hosts_comes_first_and_no_nameserver_is_asked(nameserver: Nameserver, tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("192.0.2.9 db.test\n2001:db8::9 DB.test\n")
    nameserver.set("db.test", "A", "192.0.2.1")
    asked = Asked(nameserver, hosts=Hosts(str(file)))
    assert addresses(asked.answer()) == ["192.0.2.9", "2001:db8::9"]
    assert nameserver.count() == 0
    file.write_text("")
    assert addresses(asked.answer()) == ["192.0.2.1"]


@pytest.fixture
def service(nameserver: Nameserver) -> Nameserver:
    """Two ordinary servers of unlike weight, and a backup."""
    nameserver.set("_pg._tcp.test", "SRV", "10 5 5432 one.test.", "10 0 5433 two.test.", "20 7 5434 one.test.", ttl=40)
    nameserver.set("one.test", "A", "192.0.2.1", ttl=30)
    nameserver.set("two.test", "A", "192.0.2.2", ttl=20)
    return nameserver


def roles(answer: Answer) -> list[tuple[str, int, bool]]:
    return [(str(one.address), one.weight, one.backup) for one in answer.found]


def test_a_service_is_its_targets_with_their_ports_weights_and_ranks(service: Nameserver) -> None:
    answer = Asked(service, SERVICE).answer()
    assert roles(answer) == [("192.0.2.1:5432", 5, False), ("192.0.2.1:5434", 7, True), ("192.0.2.2:5433", 1, False)]
    assert (answer.ttl, answer.failed, answer.trouble) == (20, False, "")
    assert service.count("one.test", "A") == 1


def test_a_target_that_fails_keeps_its_addresses_while_others_change(service: Nameserver) -> None:
    asked = Asked(service, SERVICE)
    asked.answer()
    service.behave(Manner.SERVFAIL, "one.test")
    service.set("two.test", "A", "192.0.2.22")
    answer = asked.answer()
    assert [str(one.address) for one in answer.found] == ["192.0.2.1:5432", "192.0.2.1:5434", "192.0.2.22:5433"]
    assert (answer.failed, answer.trouble) == (True, f"one.test.: {service.address}: SERVFAIL")


def test_a_target_that_does_not_exist_keeps_its_addresses_too(service: Nameserver) -> None:
    asked = Asked(service, SERVICE)
    before = asked.answer()
    service.forget("one.test")
    answer = asked.answer()
    assert (answer.found, answer.trouble) == (before.found, "one.test.: no such name")


def test_a_target_that_is_left_out_of_the_record_is_forgotten(service: Nameserver) -> None:
    asked = Asked(service, SERVICE)
    asked.answer()
    service.set("_pg._tcp.test", "SRV", "10 5 5432 two.test.")
    assert roles(asked.answer()) == [("192.0.2.2:5432", 5, False)]
    service.forget("one.test")
    service.set("_pg._tcp.test", "SRV", "10 5 5432 one.test.", "10 5 5432 two.test.")
    assert roles(asked.answer()) == [("192.0.2.2:5432", 5, False)]


def test_a_service_that_is_not_offered_or_fails_takes_nothing_away(service: Nameserver) -> None:
    asked = Asked(service, SERVICE)
    service.set("_pg._tcp.test", "SRV", "0 0 0 .")
    assert asked.answer() == Answer(trouble="the service is not offered")
    service.forget("_pg._tcp.test")
    assert asked.answer() == Answer(trouble="no such name")
    service.behave(Manner.REFUSED)
    assert asked.answer() == Answer(failed=True, trouble=f"{service.address}: REFUSED")


def test_a_cname_leads_to_the_addresses(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "CNAME", "other.test.")
    nameserver.set("other.test", "AAAA", "::1")
    assert Asked(nameserver).answer().found == (Found(Inet("::1", SAME_PORT)),)
