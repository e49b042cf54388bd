r"""Text that others have chosen, written so that one session stays one line that can be taken apart again.

In lines of text everything but printable ASCII, and of that space, quotes and backslash, is written as

    \xHH          a character of ASCII, or a byte that is no UTF-8
    \uHHHH        a character up to U+FFFF
    \UHHHHHHHH    any other

so a value has no space in it, may stand in quotes, and says in one way only what it was. Nothing else in a line begins
with a backslash. A name that the kernel gave has each byte that is no UTF-8 as a lone surrogate (PEP 383).
"""

import re
from json.encoder import encode_basestring_ascii
from typing import Final

_ODD: Final = re.compile(r"""[^!#-&(-\[\]-~]""")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BYTE: Final = 0xDC00
"""A byte that is no UTF-8 is this much more as a surrogate."""


def escaped(text: str) -> str:
    """*text* as a value in a line of text."""
    return _ODD.sub(_escape, text)


def _escape(found: "re.Match[str]") -> str:
    number = ord(found[0])
    if 0x80 <= number - _BYTE <= 0xFF:
        number -= _BYTE
    elif number > 0xFFFF:
        return f"\\U{number:08x}"
    elif number > 0x7F:
        return f"\\u{number:04x}"
    return f"\\x{number:02x}"


def in_json(text: str) -> str:
    """*text* as a string of JSON, quotes included, in ASCII; what is no Unicode is U+FFFD in it."""
    return encode_basestring_ascii(unicode_only(text))


def unicode_only(text: str) -> str:
    """*text* with U+FFFD for all that UTF-8 cannot say, as JSON must not say it."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
