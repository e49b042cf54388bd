"""How what a check sends and expects is read."""

from collections.abc import Callable

import pytest

from l4d.config import patterns
from l4d.config.values import Wrong


def refusal(read: Callable[[object], object], value: object) -> str:
    with pytest.raises(Wrong) as caught:
        read(value)
    return str(caught.value)


def test_a_payload_may_have_control_characters_but_is_a_string() -> None:
    assert patterns.payload("PING\r\n\0\x7f ü") == "PING\r\n\0\x7f ü"
    assert refusal(patterns.payload, 5) == "must be a string, not 5"


@pytest.mark.parametrize("read", [patterns.payload, patterns.expression, patterns.expression_of_text])
def test_what_the_command_line_could_not_decode_is_refused(read: Callable[[object], str]) -> None:
    assert refusal(read, "a\udcff") == "must be UTF-8; write other bytes in hexadecimal"


@pytest.mark.parametrize(
    ("written", "value"), [("", b""), ("00ff", b"\0\xff"), ("00 FF\t50".replace("\t", " "), b"\0\xffP")]
)
def test_bytes_are_written_in_hexadecimal(written: str, value: bytes) -> None:
    assert patterns.hexadecimal(written) == value
    assert patterns.hexadecimal(patterns.hexadecimal_written(value)) == value


@pytest.mark.parametrize("bad", ["0", "0 0", "xx", "0x00", "\u0660\u0660"])
def test_what_is_not_hexadecimal_is_refused(bad: str) -> None:
    said = refusal(patterns.hexadecimal, bad)
    assert said == f'must be bytes in hexadecimal, as in "50 49 4e 47", not {bad!r}'


def test_bytes_are_a_string_too() -> None:
    assert refusal(patterns.hexadecimal, 50) == "must be a string, not 50"
    assert refusal(patterns.hexadecimal, "00\n") == "must not contain control characters"


@pytest.mark.parametrize("read", [patterns.expression, patterns.expression_of_text])
@pytest.mark.parametrize("pattern", ["", r"^\+PONG\r\n", "a|b", "(?s)a.b", "(?i:ok)", "\0\n", "[ü]", "[^]x]+"])
def test_an_expression_is_kept_as_it_is(read: Callable[[object], str], pattern: str) -> None:
    assert read(pattern) == pattern


@pytest.mark.parametrize("read", [patterns.expression, patterns.expression_of_text])
@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing ), unterminated subpattern at position 0"),
        ("*", "nothing to repeat at position 0"),
        (r"\q", r"bad escape \q at position 0"),
        ("[[:digit:]]", "Possible nested set at position 1"),
        ("a{99999999999999999999}", "the repetition number is too large"),
        ("a{2,1}", "min repeat greater than max repeat at position 2"),
    ],
)
def test_what_is_no_expression_is_refused_with_what_python_says(
    read: Callable[[object], str], pattern: str, why: str
) -> None:
    assert refusal(read, pattern) == f"is not a regular expression of Python: {why}"


def test_bytes_and_text_have_each_their_own_flags() -> None:
    assert patterns.expression("(?L)a") == "(?L)a"
    assert patterns.expression_of_text(r"\u00fc(?a:b)") == r"\u00fc(?a:b)"
    assert "'u' flag" in refusal(patterns.expression, "(?u)a")
    assert "bad escape" in refusal(patterns.expression, r"\u00fc")
    assert "'L' flag" in refusal(patterns.expression_of_text, "(?L)a")


@pytest.mark.parametrize("pattern", ["(" * 20_000 + ")" * 20_000, "(?:" * 20_000, "[" * 20_000])
def test_an_expression_that_is_too_deep_is_refused_in_words(pattern: str) -> None:
    assert len(refusal(patterns.expression, pattern)) < 130


def test_an_expression_is_a_string() -> None:
    assert refusal(patterns.expression, ["a"]) == "must be a string, not a list"


@pytest.mark.parametrize(
    ("value", "read"), [(200, (200, 200)), ("204", (204, 204)), ("200-399", (200, 399)), ("404-404", (404, 404))]
)
def test_a_status_is_one_or_a_range(value: object, read: tuple[int, int]) -> None:
    assert patterns.statuses(value) == read
    assert patterns.statuses(patterns.statuses_written(read)) == read


@pytest.mark.parametrize(
    "bad",
    [99, 600, -200, 200.0, True, "", "2xx", "200-", "200-6000", "200 - 300", "\u0662\u0660\u0660", [], {}],
)
def test_what_is_no_status_is_refused(bad: object) -> None:
    assert refusal(patterns.statuses, bad).startswith('must be an HTTP status or a range, as in 204 or "200-399", not ')


def test_a_number_too_large_to_print_is_no_status() -> None:
    assert refusal(patterns.statuses, 16**5000).endswith("not a huge number")


def test_a_range_of_statuses_goes_up() -> None:
    assert refusal(patterns.statuses, "399-200") == (
        "'399-200': a range goes from the lower to the higher, as in '200-399'"
    )


@pytest.mark.parametrize(
    ("read", "good"),
    [
        (patterns.request_path, ["/", "/healthz", "/a/b?c=d&e", "/%20", '/~"', "/[x]\\"]),
        (patterns.method, ["GET", "HEAD", "M-SEARCH", "x_y"]),
        (patterns.host_or_none, ["", "www.example.com", "www.example.com:8080", "[::1]:80", "10.0.0.1"]),
        (patterns.name_or_none, ["", "www.example.com", "localhost", "xn--bcher-kva.example"]),
        (patterns.query_or_none, ["", ".", "example.com", "example.com.", "_a._tcp.example", "1.0.0.127.in-addr.arpa"]),
        (patterns.variable_or_none, ["", "PGPASSWORD", "_x1"]),
    ],
)
def test_a_word_of_a_protocol_is_kept_as_it_is(read: Callable[[object], str], good: list[str]) -> None:
    assert [read(word) for word in good] == good


@pytest.mark.parametrize(
    ("read", "bad", "wanted"),
    [
        (
            patterns.request_path,
            ["", "healthz", "http://x/", "*", "/a b", "/a#b", "/ü"],
            "a path like '/healthz', of ASCII without spaces and '#'",
        ),
        (patterns.method, ["", "G T", "GET/", "GÉT"], "a method of HTTP, as in 'GET'"),
        (patterns.host_or_none, ["a b", "bücher.example"], "a host like 'www.example.com'"),
        (patterns.name_or_none, ["10.0.0.1", "::1", "a.", "a b", ".", "a:443"], "a name like 'www.example.com'"),
        (patterns.query_or_none, ["a b", "..", "10.0.0.1", "a..b"], "a name like 'example.com'"),
        (
            patterns.variable_or_none,
            ["$PASSWORD", "A=B", "1A", "A B", "PÄSS"],
            "the name of an environment variable like 'DB_PASSWORD'",
        ),
    ],
)
def test_what_is_no_word_of_a_protocol_is_refused(read: Callable[[object], str], bad: list[str], wanted: str) -> None:
    assert [refusal(read, word) for word in bad] == [f"must be {wanted}, not {word!r}" for word in bad]
    assert refusal(read, 5) == "must be a string, not 5"
    assert refusal(read, "\n") == "must not contain control characters"


def test_a_type_of_record_is_one_of_a_few_in_any_case() -> None:
    assert [patterns.query_type(kind) for kind in ("A", "aaaa", "Srv")] == ["A", "AAAA", "SRV"]
    assert refusal(patterns.query_type, "ANY") == (
        "must be one of A, AAAA, CAA, CNAME, HTTPS, MX, NS, PTR, SOA, SRV, SVCB, TXT, not 'ANY'"
    )
    assert refusal(patterns.query_type, 1) == "must be a string, not 1"
