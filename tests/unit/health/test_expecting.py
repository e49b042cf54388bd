"""Which answers are the expected ones."""

from hypothesis import given
from hypothesis import strategies as st

from l4d.health.expecting import Expecting
from l4d.terms import CheckType
from tests.unit.health.making import make_check


def expecting(expect: str = "", expect_hex: bytes = b"") -> Expecting:
    return Expecting(make_check(CheckType.SEND_EXPECT, expect=expect, expect_hex=expect_hex))


def test_an_expression_may_match_anywhere_and_across_lines() -> None:
    assert expecting("b.*c").met_by(b"ab\n\xff\nc")
    assert not expecting("^b").met_by(b"a\nb")


def test_an_expression_never_is_hopeless() -> None:
    assert not expecting("b").hopeless(b"a" * 1000)


def test_bytes_must_come_first() -> None:
    assert expecting(expect_hex=b"\0\1").met_by(b"\0\1\2")
    assert not expecting(expect_hex=b"\0\1").met_by(b"\2\0\1")


@given(st.binary(min_size=1, max_size=4), st.binary(max_size=4), st.binary(max_size=4))
def test_what_is_hopeless_stays_so(wanted: bytes, data: bytes, more: bytes) -> None:
    if expecting(expect_hex=wanted).hopeless(data):
        assert not expecting(expect_hex=wanted).met_by(data + more)
    elif len(data) < len(wanted):
        assert expecting(expect_hex=wanted).met_by(data + wanted[len(data) :])


def test_nothing_expected_is_anything() -> None:
    assert expecting().anything
    assert not expecting("x").anything
    assert not expecting(expect_hex=b"x").anything
