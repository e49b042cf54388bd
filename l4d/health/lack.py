"""Whether a check came to nothing because this machine lacks something: that says nothing of the server."""

from l4d.health.probe import Answer, Target
from l4d.health.words import reason
from l4d.linux.sockets import LACK


class NotAskedError(Exception):
    """The server could not be asked; the words say what there is not enough of."""


class NotAsking:
    """A probe that cannot ask anybody: what was known of the servers holds."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def ask(self, target: Target) -> Answer:  # noqa: ARG002 - Probe
        """See Probe."""
        raise NotAskedError(self._why)


def lack_in(error: BaseException | None) -> str:
    """What *error* says there is not enough of, as a reason; "" when there is enough of everything.

    A library's error is often wrapped around that of the system, so those behind it are looked at, too.
    """
    while error is not None:
        if isinstance(error, NotAskedError):
            return str(error)
        if isinstance(error, MemoryError):
            return "out of memory"
        if isinstance(error, OSError) and error.errno in LACK:
            return reason(error)
        error = error.__cause__ or error.__context__
    return ""
