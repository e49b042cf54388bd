"""Reasons: short, printable, one line."""

import errno
import ssl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from l4d.health.words import LONGEST, one_line, quoted, reason


def test_the_system_speaks_for_itself() -> None:
    assert reason(ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)")) == (
        "connection refused"
    )


def test_a_number_of_openssls_is_not_taken_for_one_of_the_systems() -> None:
    session = ssl.create_default_context().wrap_bio(incoming := ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a")
    incoming.write(b"x" * 500)
    with pytest.raises(ssl.SSLError) as error:
        session.do_handshake()
    assert "wrong version number" in reason(error.value)


def test_an_error_of_ours_is_its_text() -> None:
    assert reason(EOFError("closed before it had answered")) == "closed before it had answered"


def test_an_error_without_words_is_called_by_its_name() -> None:
    assert reason(TimeoutError()) == "TimeoutError"


def test_lines_become_one_and_what_cannot_be_shown_is_escaped() -> None:
    assert one_line("a\r\nb\x1b[31m\tc\u202e") == "a b\\x1b[31m c\\u202e"


def test_a_servers_essay_is_cut() -> None:
    assert one_line("x" * 10_000) == "x" * (LONGEST - 3) + "..."


@given(st.binary(max_size=2000))
@example(b"\xff" * 2000)
@example(b"\0" * 2000)
def test_whatever_is_sent_a_reason_is_short_printable_and_one_line(data: bytes) -> None:
    for line in (one_line(data.decode("latin-1")), quoted(data)):
        assert len(line) <= LONGEST
        assert line.isprintable()
