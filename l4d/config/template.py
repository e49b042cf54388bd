"""The template of an access log line: text with $names in it.

$name, ${name}    what the session has of that name, see FIELDS
$$                a dollar
"""

import re
from collections.abc import Iterator
from typing import Final

from l4d.config.suggest import did_you_mean

FIELDS: Final = (
    "time",
    "listener",
    "protocol",
    "client",
    "local",
    "upstream",
    "server",
    "server_name",
    "bytes_up",
    "bytes_down",
    "datagrams_up",
    "datagrams_down",
    "connect_ms",
    "duration_ms",
    "tries",
    "end",
    "end_text",
    "sni",
    "proxied_by",
    "worker",
    "generation",
    "id",
)
"""What is told of a session, in this order (docs/access-log.md)."""

NAMES: Final = frozenset({*FIELDS, "duration"})
"""What a template may name: $duration is duration_ms as people read it, 5310ms."""

_DOLLAR = re.compile(r"\$(?:(\$)|([A-Za-z0-9_]+)|\{([^}]*)\})?")


def pieces(template: str) -> Iterator[tuple[str, str]]:
    """What *template* is made of: a text, and the name whose value follows it; "" after the last text.

    Raises ValueError, in words that say what is wrong with the first name that is none.
    """
    text, at = "", 0
    for found in _DOLLAR.finditer(template):
        text += template[at : found.start()]
        at = found.end()
        if found[1]:
            text += "$"
            continue
        name = found[2] or found[3]
        if not name:
            raise ValueError(f"has a '$' without a name (at character {found.start() + 1}); a dollar is '$$'")
        if name not in NAMES:
            raise ValueError(f"there is no '${name}'{did_you_mean(name, sorted(NAMES))}")
        yield text, name
        text = ""
    yield text + template[at:], ""
