"""What an agent has wished of its server so far: an answer that does not speak of a thing leaves it as it was."""

from l4d.health.probe import Answer
from l4d.terms import ServerState


class Wishes:
    """Of one server."""

    __slots__ = ("_percent", "_state", "_told")

    def __init__(self, state: ServerState | None = None, percent: int | None = None) -> None:
        """What it wished before, as it was told then."""
        self._told = state, percent
        self._state = None if percent == 0 and state is ServerState.DRAIN else state
        self._percent = percent

    def hear(self, answer: Answer) -> tuple[ServerState | None, int | None] | None:
        """The state and the percentage that are wished now, or None when they are the same as before.

        No weight is 0, so 0 % is said as what it comes to: drain, until another percentage is wished.
        """
        self._state = answer.state or self._state
        self._percent = self._percent if answer.percent is None else answer.percent
        wished = (self._state, self._percent)
        if self._percent == 0 and self._state is not ServerState.MAINT:
            wished = (ServerState.DRAIN, self._percent)
        if wished == self._told:
            return None
        self._told = wished
        return wished
