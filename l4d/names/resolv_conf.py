"""Whom to ask, and under which names: the `[resolver]` section or, without one, /etc/resolv.conf (resolv.conf(5))."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from l4d.address import Inet
from l4d.names.files import Watched, lines_of

RESOLV_CONF = "/etc/resolv.conf"

_PORT = 53
_MOST_NAMESERVERS = 3  # MAXNS of the C library
_MOST_NDOTS = 15
_LOCAL = Inet("127.0.0.1", _PORT)  # resolv.conf(5): without a nameserver line, the one on this machine


@dataclass(frozen=True, slots=True)
class Advice:
    """Which nameservers to ask, first to last, and how a name that is not absolute is completed."""

    nameservers: tuple[Inet, ...]
    search: tuple[str, ...] = ()
    ndots: int = 1

    def candidates(self, name: str) -> tuple[str, ...]:
        """The absolute names that *name* may stand for, in the order in which they are tried.

        One that ends with a dot is absolute already. One with `ndots` dots or more is first tried as it is, others are
        first tried in each domain of the search list.
        """
        if name.endswith("."):
            return (name,)
        completed = [f"{name}.{domain}." for domain in self.search]
        absolute = f"{name}."
        return (absolute, *completed) if name.count(".") >= self.ndots else (*completed, absolute)


class Advisor:
    """Says whom to ask now. *nameservers* are asked if there are any, and names are then taken as absolute."""

    def __init__(self, nameservers: Sequence[Inet], path: str = RESOLV_CONF) -> None:
        self._given = Advice(tuple(nameservers), ndots=0) if nameservers else None
        self._file = Watched(path, parse, Advice(()))

    def advice(self) -> Advice:
        """Without nameservers only when the file cannot be read: `trouble` says why."""
        return self._given or self._file.content()

    @property
    def trouble(self) -> str:
        return self._file.trouble


def parse(text: str) -> Advice:
    """What resolv.conf says. Lines that make no sense are skipped; of several `search` or `domain` the last holds."""
    nameservers: list[Inet] = []
    search: tuple[str, ...] = ()
    ndots = 1
    for keyword, *words in lines_of(text, comments="#;"):
        if keyword == "nameserver" and words and _is_address(words[0]):
            nameservers.append(Inet(words[0], _PORT))
        elif keyword in {"search", "domain"}:
            search = tuple(domain for word in words if (domain := word.strip(".")))
        elif keyword == "options":
            ndots = _ndots(words, ndots)
    return Advice(tuple(nameservers[:_MOST_NAMESERVERS]) or (_LOCAL,), search, ndots)


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)  # a scope may follow, as in fe80::1%eth0
    except ValueError:
        return False
    return True


def _ndots(options: Sequence[str], otherwise: int) -> int:
    for option in options:
        name, _, number = option.partition(":")
        if name == "ndots" and number.isascii() and number.isdigit():
            otherwise = min(int(number), _MOST_NDOTS)
    return otherwise
