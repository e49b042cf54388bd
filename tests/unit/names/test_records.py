"""What records are good for."""

import pytest
from dns.rdata import Rdata
from dns.rrset import from_text

from l4d.config.model import SEATS
from l4d.names.records import Target, dialable, joined, targets_of, texts_of


def records(kind: str, *texts: str) -> list[Rdata]:
    return list(from_text("name.", 60, "IN", kind, *texts))


def test_a_and_aaaa_records_are_addresses() -> None:
    found = [*records("A", "192.0.2.1"), *records("AAAA", "2001:db8::1"), *records("TXT", "text")]
    assert texts_of(found) == ("192.0.2.1", "2001:db8::1")


def test_addresses_are_distinct_and_in_their_normal_form() -> None:
    assert dialable(["::0001", "192.0.2.1", "::1", "127.0.0.1"]) == (("::1", "192.0.2.1", "127.0.0.1"), ())


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("0.0.0.0", "it is no server's address"),
        ("::", "it is no server's address"),
        ("224.0.0.1", "it is many machines' address"),
        ("ff02::1", "it is many machines' address"),
        ("255.255.255.255", "it is many machines' address"),
        ("fe80::1", "it means another machine on each network"),
        ("fe80::1%lo", "it means another machine on each network"),
    ],
)
def test_an_address_that_no_server_can_have_is_left_out_with_a_reason(address: str, why: str) -> None:
    assert dialable([address, "192.0.2.1"]) == (("192.0.2.1",), (f"{address} is left out: {why}",))


def test_targets_of_the_lowest_priority_number_are_ordinary_and_all_others_backups() -> None:
    targets, troubles = targets_of(records("SRV", "20 1 82 c.", "10 5 80 a.", "10 0 81 b.", "30 1 83 d."))
    assert targets == (
        Target("a.", 80, 5, False),
        Target("b.", 81, 1, False),
        Target("c.", 82, 1, True),
        Target("d.", 83, 1, True),
    )
    assert troubles == ()


def test_a_root_for_a_target_says_that_there_is_no_service() -> None:
    assert targets_of(records("SRV", "0 0 0 .")) == ((), ("the service is not offered",))


def test_a_target_without_a_port_is_left_out_and_makes_no_backups_of_others() -> None:
    assert targets_of(records("SRV", "0 1 0 a.", "1 1 80 b.")) == (
        (Target("b.", 80, 1, False),),
        ("a. is left out: it has port 0",),
    )


def test_no_more_targets_than_seats_are_taken_the_most_wanted_first() -> None:
    many = [f"{priority} 1 80 t{priority}." for priority in range(SEATS + 2)]
    targets, troubles = targets_of(records("SRV", *reversed(many)))
    assert [target.host for target in targets] == [f"t{priority}." for priority in range(SEATS)]
    assert len(troubles) == 2


def test_a_text_of_many_troubles_names_each_once_and_the_first_few() -> None:
    assert joined([]) == ""
    assert joined(["a", "b", "a"]) == "a; b"
    assert joined("abcde") == "a; b; c; and 2 more like it"
