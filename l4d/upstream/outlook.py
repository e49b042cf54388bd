"""What a balancer would do next, told without doing it."""

from typing import NamedTuple

from l4d.upstream.server import Server


class Outlook(NamedTuple):
    """Who would be chosen now, and why."""

    server: Server | None
    """None: it cannot be said, since chance decides."""
    why: str
    certain: bool = True
    """Whether it is so for the very next session, if nothing changes before it comes."""


class Remark(NamedTuple):
    """One server, seen by somebody who asks for whom it is."""

    server: Server
    takes: bool
    """Whether it may be given the session."""
    why: str


def load_of(server: Server, load: int) -> str:
    """What a server has to do, for what it may count."""
    return f"{load} session{'' if load == 1 else 's'} for weight {server.weight:g}"
