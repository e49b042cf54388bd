"""The will as a document: what is left is found again, later fields are passed over, other versions are refused."""

import json
from typing import Any

import pytest

from l4d.address import Inet, Unix
from l4d.handover import record
from l4d.master.will import AddressLeft, BoardLeft, ColumnsLeft, DoorLeft, PidFileLeft, Will, WillError, decode, encode
from l4d.stats.changes import Change, Changes
from l4d.terms import Protocol

WILL = Will(
    generation=7,
    board=BoardLeft(1024, 1 << 20, (0, 1, 2, 3), (0, 1, 4), 1),
    columns=ColumnsLeft((("sessions", ("web",), 3), ("heartbeat", (), 4)), (5,), 6),
    held=(
        AddressLeft(Protocol.TCP, Inet("127.0.0.1", 0), "web", Inet("127.0.0.1", 40123), "web", True, False, 4, (5, 6)),
        AddressLeft(Protocol.UDP, Inet("::1", 53), "", Inet("::1", 53), "dns", True, True, 7, (8,)),
        AddressLeft(Protocol.TCP, Unix("/run/\udcff x"), "", Unix("/run/\udcff x"), "app", False, False, 9, (10,)),
    ),
    pid_file=PidFileLeft("/run/l4d.pid", 11),
    inquiries=12,
    doors=(
        DoorLeft(Unix("/run/l4d.sock"), Unix("/run/l4d.sock"), 0o600, 13, 14),
        DoorLeft(Inet("127.0.0.1", 0), Inet("127.0.0.1", 40124), 0o600, 15, 16),
    ),
    changes=Changes(1.5, [Change(2.5, "start", "success", 1, "")]),
    descriptors=17,
)


def document(**changes: Any) -> bytes:
    """The document of WILL, with other fields."""
    return json.dumps(json.loads(encode(WILL)) | changes).encode()


def test_what_is_left_is_what_is_found() -> None:
    assert decode(encode(WILL)) == WILL


def test_there_may_be_no_pid_file() -> None:
    assert decode(document(pid_file=None)).pid_file is None


def test_a_program_of_before_leaves_less() -> None:
    before = json.loads(encode(WILL))
    del before["inquiries"], before["doors"], before["changes"]
    will = decode(json.dumps(before).encode())
    assert (will.inquiries, will.doors, will.changes) == (None, (), Changes())


def test_fields_of_a_later_program_are_passed_over() -> None:
    later = json.loads(encode(WILL))
    later["mood"] = "fine"
    later["board"]["colour"] = "green"
    later["held"][0]["view"] = ["sea"]
    assert decode(json.dumps(later).encode()) == WILL


def test_another_version_is_refused_before_anything_else_is_read() -> None:
    with pytest.raises(WillError, match="has version 2, and this program knows 1"):
        decode(b'{"version": 2}')


def test_records_that_this_program_could_not_read_are_refused() -> None:
    later = record.VERSION + 1
    with pytest.raises(WillError, match=f"have version {later}, and this program knows {record.VERSION}"):
        decode(document(records=later))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"version": 1}',
        document(generation="seven"),
        document(generation=-1),
        document(generation=True),
        document(held={"protocol": "tcp"}),
        document(held=[{"protocol": "sctp"}]),
        document(held=[[]]),
        document(pid_file={"path": 3, "descriptor": 4}),
        document(columns={"given": [["sessions", "web"]], "free": [], "used": 1}),
        document(board=None),
        document(doors=[{"address": "/run/x"}]),
        document(changes=[]),
    ],
)
def test_what_is_no_will_is_refused(data: bytes) -> None:
    with pytest.raises(WillError, match="cannot be understood"):
        decode(data)
