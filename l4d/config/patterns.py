"""How what a check sends and expects is read: bytes, regular expressions, and what HTTP and DNS have words for."""

import re
import warnings
from collections.abc import Callable

from l4d.config.addresses import is_name
from l4d.config.values import Wrong, described, text

_STATUS = re.compile(r"([1-5][0-9][0-9])(?:-([1-5][0-9][0-9]))?")
_RECORDS = ("A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TXT")


def payload(value: object) -> str:
    """What is sent as it stands: a string, which may have control characters."""
    if not isinstance(value, str):
        raise Wrong(f"must be a string, not {described(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:  # from the command line; a file is UTF-8
        raise Wrong("must be UTF-8; write other bytes in hexadecimal") from None
    return value


def hexadecimal(value: object) -> bytes:
    """Bytes, as in "00 ff"."""
    written = text(value)
    try:
        return bytes.fromhex(written)
    except ValueError:
        raise Wrong(f'must be bytes in hexadecimal, as in "50 49 4e 47", not {described(written)}') from None


def hexadecimal_written(value: bytes) -> str:
    return value.hex(" ")


def expression(value: object) -> str:
    """A regular expression for bytes, in the form of Python's re, which will have it in UTF-8."""
    written = payload(value)
    _compile(written.encode())
    return written


def expression_of_text(value: object) -> str:
    """A regular expression for text, in the form of Python's re."""
    written = payload(value)
    _compile(written)
    return written


def _compile(pattern: str | bytes) -> None:
    """Raises Wrong for what cannot be compiled, or would one day mean something else, as "[[:digit:]]" would."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, ValueError, OverflowError, RecursionError, Warning) as error:
        raise Wrong(f"is not a regular expression of Python: {str(error)[:80]}") from None


def statuses(value: object) -> tuple[int, int]:
    """One HTTP status, or a range of them: 200, "200", "200-399"."""
    match = _STATUS.fullmatch(value if isinstance(value, str) else described(value))
    if match is None:
        raise Wrong(f'must be an HTTP status or a range, as in 204 or "200-399", not {described(value)}')
    lowest, highest = int(match[1]), int(match[2] or match[1])
    if lowest > highest:
        raise Wrong(f"{described(value)}: a range goes from the lower to the higher, as in '200-399'")
    return lowest, highest


def statuses_written(value: tuple[int, int]) -> str:
    lowest, highest = value
    return str(lowest) if lowest == highest else f"{lowest}-{highest}"


def query_type(value: object) -> str:
    """A type of DNS records."""
    kind = text(value).upper()
    if kind not in _RECORDS:
        raise Wrong(f"must be one of {', '.join(_RECORDS)}, not {described(value)}")
    return kind


def _text_that(fits: Callable[[str], object], wanted: str) -> Callable[[object], str]:
    """The reader of a string that *fits*."""

    def read(value: object) -> str:
        written = text(value)
        if not fits(written):
            raise Wrong(f"must be {wanted}, not {described(written)}")
        return written

    return read


request_path = _text_that(
    re.compile(r'/[!"$-~]*').fullmatch,
    "a path like '/healthz', of ASCII without spaces and '#'",
)
"""What an HTTP request asks for, perhaps with "?" and a query (RFC 9112, 3.2.1)."""

method = _text_that(re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+").fullmatch, "a method of HTTP, as in 'GET'")
"""See RFC 9110, 5.6.2: a token."""

host_or_none = _text_that(re.compile(r"[!-~]*").fullmatch, "a host like 'www.example.com'")
"""The value of a Host header, perhaps with a port."""

name_or_none = _text_that(lambda name: not name or (is_name(name) and name[-1] != "."), "a name like 'www.example.com'")
"""A name that can be sent as SNI, where it has no dot at the end (RFC 6066, 3)."""

query_or_none = _text_that(lambda name: name in {"", "."} or is_name(name), "a name like 'example.com'")
"""A name that a nameserver can be asked for; "." is the root."""

variable_or_none = _text_that(
    re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)?").fullmatch,
    "the name of an environment variable like 'DB_PASSWORD'",
)
