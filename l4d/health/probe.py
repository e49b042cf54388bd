"""What a check is made of: whom to ask, the one verb of a probe, and what comes of it."""

from dataclasses import dataclass
from typing import Protocol

from l4d.address import Address
from l4d.stats.standing import Verdict
from l4d.terms import ServerState


@dataclass(frozen=True, slots=True)
class Target:
    """A server to be asked; *address* has the port of the check, if the check has one of its own."""

    upstream: str
    server: str
    address: Address
    host: str = ""
    """The name it was given by, if it was given by a name: what its certificate and its virtual host are called."""

    def __str__(self) -> str:
        return f"{self.upstream}/{self.server}"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a server before it is asked: what the checks and its agent have said so far."""

    verdict: Verdict = Verdict.UNKNOWN
    state: ServerState | None = None
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server's answer says. *why* is in words, for the log: "status 503", "is a replica"."""

    well: bool
    why: str = ""
    definite: bool = False
    """Whether it counts at once, whatever `fall` and `rise` are: the server itself has said what it is."""
    state: ServerState | None = None
    """What an agent wants the server to be."""
    percent: int | None = None
    """What an agent wants of the server's weight."""


class Probe(Protocol):
    """One way to ask a server."""

    async def ask(self, target: Target) -> Answer:
        """Ask once. Raises OSError, EOFError or ValueError, whose words say what went wrong, as a failed check.

        An error for a lack of ours (lack.py), or one that was raised from it, is none.

        There is no timeout in here: the caller cancels, and nothing is left open then.
        """
        ...
