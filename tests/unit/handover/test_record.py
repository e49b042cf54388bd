"""What is written down of a session, and what is read back."""

import errno
import json
import socket
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from l4d.handover import record
from l4d.handover.record import Kind, Record, RecordError, Way
from l4d.linux.datagram import Ancillary
from tests.unit.making import UNHURRIED

DOCUMENT = Path(__file__).parents[3] / "docs" / "handover.md"

counts = st.integers(0, (1 << 63) - 1)
times = st.floats(0, 1e9)
errnos = st.integers(0, record.MOST_ERRNO)
words = st.text(max_size=10)
identities = st.lists(st.lists(words, min_size=3, max_size=3), max_size=3)
ipv4 = st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535))
ipv6 = st.tuples(
    st.ip_addresses(v=6).map(str), st.integers(0, 65535), st.integers(0, (1 << 20) - 1), st.integers(0, (1 << 32) - 1)
)
paths = st.binary(max_size=108).map(lambda path: path.decode("utf-8", "surrogateescape"))
clients = ipv4 | ipv6 | paths | st.binary(max_size=108).map(lambda name: b"\0" + name)

ways = st.builds(Way, counts, counts, st.booleans(), st.booleans(), st.booleans(), st.booleans(), errnos, errnos)
records = st.builds(
    Record,
    kind=st.sampled_from([kind.value for kind in Kind]),
    listener=words,
    families=st.lists(st.sampled_from([socket.AF_INET, socket.AF_INET6, socket.AF_UNIX]).map(int), max_size=2),
    client=clients,
    port=st.integers(0, 65535),
    started=times,
    connected=times,
    heard=times,
    step=st.integers(-1, 7),
    tries=counts,
    tried=identities,
    server=st.lists(words, min_size=3, max_size=3) | st.just([]),
    bytes_up=counts,
    bytes_down=counts,
    datagrams_up=counts,
    datagrams_down=counts,
    up=ways,
    down=ways,
    early=st.booleans(),
    end=words,
    reset=st.booleans(),
    until=times,
    bound=words,
    reply=st.just([]) | st.just([[0, 8, "00ff"]]),
    trains=st.booleans(),
    current=st.booleans(),
    avoided=identities,
)
everything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)


def sent(plain: object) -> Any:
    """As it arrives at the other end."""
    return json.loads(json.dumps(plain))


def full() -> Record:
    """One in which no field has its default."""
    way = Way(1, 2, True, True, True, True, errno.ECONNRESET, errno.EPIPE)
    values = {one.name: _other_than(getattr(Record(), one.name)) for one in fields(Record)}
    return Record(**{**values, "client": ("192.0.2.1", 7), "up": way, "down": way})


def _other_than(default: object) -> Any:
    if isinstance(default, list):
        return [["db", "one", "10.0.0.1:1"]]
    return True if isinstance(default, bool) else "x" if isinstance(default, str) else 5


# What is told is understood


@UNHURRIED
@given(records)
def test_whatever_there_is_to_say_of_a_session_arrives_as_it_was(told: Record) -> None:
    assert record.understood(sent(record.told(told))) == told


@pytest.mark.parametrize(
    "client", [("192.0.2.1", 7), ("fe80::1", 7, 0, 3), "", "/run/client", "/run/\udcff", b"\0name", b""]
)
def test_a_client_of_any_kind_is_the_same_there(client: object) -> None:
    assert record.understood(sent(record.told(Record(client=client)))).client == client


def test_an_idle_session_is_told_in_few_bytes() -> None:
    idle = Record(Kind.RELAY.value, "postgres", [2, 2], ("203.0.113.9", 51812), ("203.0.113.1", 5432), 5432, 1 << 60)
    idle.started, idle.connected, idle.heard, idle.tries = 1000.1, 1000.2, 2000.3, 1
    idle.server = ["pg", "10.0.0.1:5432", "10.0.0.1:5432"]
    idle.bytes_up, idle.bytes_down = 1204, 88213
    idle.up, idle.down = Way(1204), Way(88213)
    assert len(json.dumps(record.told(idle))) < 420


def test_what_has_its_default_is_left_out() -> None:
    assert record.told(Record()) == {"client": ""}
    assert record.told(Record(client="", up=Way(ended=True))) == {"client": "", "up": {"ended": True}}


def test_one_in_which_nothing_has_its_default_is_told_whole() -> None:
    told = record.told(full())
    assert set(told) == {one.name for one in fields(Record)}
    assert set(told["up"]) == set(told["down"]) == {one.name for one in fields(Way)}


def test_a_whole_number_of_seconds_is_a_time_too() -> None:
    understood = record.understood({"started": 7})
    assert (understood.started, type(understood.started)) == (7.0, float)


# Versions


@UNHURRIED
@given(records, everything)
def test_a_field_that_is_not_known_yet_is_passed_over(told: Record, value: Any) -> None:
    plain = sent(record.told(told))
    plain["of the next version"] = value
    for name in ("up", "down"):
        plain.setdefault(name, {})["of the next version"] = value
    assert record.understood(plain) == told


@pytest.mark.parametrize("name", [one.name for one in fields(Record)])
def test_a_field_that_is_missing_has_its_default(name: str) -> None:
    plain = sent(record.told(full()) | {"families": [2], "server": ["db", "one", "a:1"]})
    del plain[name]
    assert getattr(record.understood(plain), name) == getattr(Record(), name)


@pytest.mark.parametrize("name", [one.name for one in fields(Way)])
def test_a_field_that_is_missing_of_a_way_has_its_default(name: str) -> None:
    plain = record.told(Record(up=Way(1, 2, True, True, True, True, 3, 4)))
    del plain["up"][name]
    assert getattr(record.understood(plain).up, name) == getattr(Way(), name)


@pytest.mark.parametrize("kind", [Record, Way])
def test_each_field_has_its_line_in_the_document(kind: type) -> None:
    lines = DOCUMENT.read_text().splitlines()
    section = lines[lines.index(f"### {kind.__name__}") :]
    names = [line.split("`")[1] for line in section if line.startswith("| `")]
    expected = [one.name for one in fields(kind)]
    assert names[: len(expected)] == expected


def test_the_version_of_the_document_is_that_of_the_program() -> None:
    assert f"The version is {record.VERSION}." in DOCUMENT.read_text()


# What is no record


@UNHURRIED
@given(everything)
def test_whatever_else_arrives_is_a_record_or_an_error_of_the_record(plain: Any) -> None:
    for understand in (record.understood, record.sockaddr_understood, record.inet_understood, record.reply_understood):
        try:
            understand(sent(plain))
        except RecordError as error:
            assert len(str(error)) < 100


@UNHURRIED
@given(st.sampled_from(sorted(record.told(full()))), everything)
@example("local", ["10.0.0.1", 80])
@example("local", {"abstract": ""})
def test_a_field_of_the_wrong_kind_makes_no_record(name: str, value: Any) -> None:
    try:
        understood = record.understood({name: sent(value)})
    except RecordError:
        return
    assert type(getattr(understood, name)) is type(getattr(Record(), name)) or name in {"client", "local"}
    assert record.understood(sent(record.told(understood))) == understood


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        "record",
        {"kind": 5},
        {"port": "80"},
        {"port": True},
        {"tries": -1},
        {"bytes_up": 1 << 63},
        {"bytes_up": 1.0},
        {"step": -2},
        {"started": float("nan")},
        {"started": float("inf")},
        {"started": 10**400},
        {"started": -1.0},
        {"early": 1},
        {"families": {}},
        {"families": ["2"]},
        {"families": [-1]},
        {"families": [1 << 40]},
        {"server": ["db", "one", 5]},
        {"tried": ["abc"]},
        {"tried": [["db", "one"]]},
        {"avoided": [["db", "one", None]]},
        {"up": []},
        {"up": {"moved": "1"}},
        {"up": {"pending": -1}},
        {"down": {"source_error": 1 << 20}},
        {"down": {"target_error": "EPIPE"}},
        {"client": 5},
        {"client": []},
        {"client": ["192.0.2.1", "http"]},
        {"client": ["192.0.2.1", float("inf")]},
        {"client": {"abstract": "zz"}},
        {"client": {"abstract": 5}},
        {"client": {}},
    ],
)
def test_what_no_session_can_say_makes_no_record(plain: object) -> None:
    with pytest.raises(RecordError):
        record.understood(plain)


# UDP clients


@given(ipv4 | ipv6)
def test_a_udp_client_is_what_the_kernel_takes(client: Any) -> None:
    assert record.inet_understood(sent(record.sockaddr_told(client))) == client


@pytest.mark.parametrize("client", [("192.0.2.1", 53), ("fe80::1", 53, 5, 3)])
def test_over_ipv6_flow_label_and_scope_are_part_of_it(client: Any) -> None:
    assert record.inet_understood(list(client)) == client


@pytest.mark.parametrize(
    "plain",
    [
        "",
        {"abstract": "00"},
        ["db.example", 53],
        ["192.0.2.1", 65536],
        ["192.0.2.1", -1],
        ["2001:db8::1", 53, 0],
        ["2001:db8::1", 53, 1 << 20, 0],
        ["2001:db8::1", 53, 0, 1 << 32],
        ["2001:db8::1", 53, 0, 0, 0],
    ],
)
def test_what_cannot_be_sent_to_is_no_udp_client(plain: object) -> None:
    with pytest.raises(RecordError):
        record.inet_understood(plain)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.binary(max_size=20)), max_size=3))
def test_what_goes_with_an_answer_arrives_as_it_was(ancillary: Ancillary) -> None:
    assert record.reply_understood(sent(record.reply_told(ancillary))) == ancillary


def test_an_answer_leaves_from_the_address_that_was_told() -> None:
    ancillary: Ancillary = [(0, 8, b"\0\xff"), (41, 50, bytes(20))]
    assert record.reply_understood(sent(record.reply_told(ancillary))) == ancillary


@pytest.mark.parametrize(
    "plain", [None, 5, [5], ["abc"], [[0, 8]], [[0, 8, "zz"]], [[-1, 8, ""]], [[0, 1 << 31, ""]], [[0, 1e999, ""]]]
)
def test_what_the_kernel_would_not_take_goes_with_no_answer(plain: object) -> None:
    with pytest.raises(RecordError):
        record.reply_understood(plain)


# Errors


def test_an_error_goes_by_its_number() -> None:
    for number in errno.errorcode:
        error = record.error_of(record.error_number(OSError(number, "")))
        assert error is not None
        assert error.errno == number
    assert isinstance(record.error_of(errno.ECONNRESET), ConnectionResetError)


def test_no_error_is_none_and_one_without_a_number_stays_an_error() -> None:
    assert record.error_of(record.error_number(None)) is None
    assert record.error_number(OSError("unknown")) == errno.EIO
