"""/etc/hosts: names and addresses that the operator of this machine has written down (hosts(5))."""

import ipaddress

from l4d.names.files import Watched, lines_of

HOSTS = "/etc/hosts"


class Hosts:
    """The file at *path*, read again whenever it has changed. A file that cannot be read has no names."""

    def __init__(self, path: str = HOSTS) -> None:
        self._file: Watched[dict[str, tuple[str, ...]]] = Watched(path, parse, {})

    def addresses(self, name: str) -> tuple[str, ...]:
        """All addresses of *name*, IPv4 and IPv6, in the order of the file; empty when it is not there.

        Upper and lower case are the same, and so is a name with the root's dot behind it.
        """
        return self._file.content().get(_normal(name), ())


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """The addresses of each name. Lines that are not an address and at least one name are skipped."""
    found: dict[str, dict[str, None]] = {}
    for words in lines_of(text, comments="#"):
        try:
            address = str(ipaddress.ip_address(words[0]))
        except ValueError:
            continue
        for name in words[1:]:
            found.setdefault(_normal(name), {})[address] = None
    return {name: tuple(addresses) for name, addresses in found.items()}


def _normal(name: str) -> str:
    return name.lower().removesuffix(".")
