"""TCP handshakes that are under way: the rows of /proc/net/tcp and tcp6 in the state SYN_RECV (proc_net(5)).

      sl  local_address rem_address   st ...
       0: 0100007F:1F90 0100007F:D962 03 ...

The client has had our answer, and its own is awaited; or, with TCP_DEFER_ACCEPT, its first byte. Which socket of a
SO_REUSEPORT group it will be queued in is not told: that was decided when it began.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

Handshake: TypeAlias = tuple[str, str]
"""Our address and the client's, as the kernel writes them."""

_SYN_RECV = "03"


def in_flight(ports: Collection[int]) -> set[Handshake]:
    """The handshakes with any of our *ports*. Raises OSError: that cannot be told."""
    if not ports:
        return set()
    found = set(_rows("/proc/net/tcp", ports))
    try:
        found.update(_rows("/proc/net/tcp6", ports))
    except FileNotFoundError:
        return found  # a kernel without IPv6
    return found


def _rows(path: str, ports: Collection[int]) -> Iterator[Handshake]:
    with open(path, encoding="ascii") as table:
        yield from parse(table, ports)


def parse(lines: Iterable[str], ports: Collection[int]) -> Iterator[Handshake]:
    """The handshakes that these lines of the table tell of."""
    for line in lines:
        if f" {_SYN_RECV} " not in line:  # most of a long table is left unsplit
            continue
        _number, local, remote, state, *_others = line.split()
        if state == _SYN_RECV and int(local.rpartition(":")[2], 16) in ports:
            yield local, remote
