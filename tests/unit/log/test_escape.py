"""Text that others have chosen stays one value on one line."""

import json

import pytest

from l4d.log.escape import escaped, in_json, unicode_only


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80"),
        ("/run/a b", r"/run/a\x20b"),
        ("a\nb\r\tc", r"a\x0ab\x0d\x09c"),
        ("\0", r"\x00"),
        ("\x7f", r"\x7f"),
        ("\"'\\", r"\x22\x27\x5c"),
        (r"\x20", r"\x5cx20"),
        ("ü", r"\u00fc"),
        ("\x85\u2028\u202e", r"\u0085\u2028\u202e"),
        ("😀", r"\U0001f600"),
        ("\udcff\udc80", r"\xff\x80"),
        ("\ud800\udc7f\udd00", r"\ud800\udc7f\udd00"),
        ("", ""),
    ],
)
def test_what_could_break_a_line_is_escaped(text: str, written: str) -> None:
    assert escaped(text) == written


@pytest.mark.parametrize("text", ["a b", 'ü\n"\\', "\0\x7f\u2028", "😀", ""])
def test_json_says_what_it_was(text: str) -> None:
    written = in_json(text)
    assert written.isascii()
    assert "\n" not in written
    assert json.loads(written) == text


def test_json_has_no_half_characters() -> None:
    assert json.loads(in_json("a\udcff\ud800b")) == "a\ufffd\ufffdb"
    assert unicode_only("ü\udcff") == "ü\ufffd"
    assert unicode_only("plain") == "plain"
