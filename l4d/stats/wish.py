"""What an operator asks for of a server: another state, weight or max_sessions, or what the file says."""

import enum
from dataclasses import dataclass

from l4d.terms import ServerState


class Unsaid(enum.Enum):
    """Instead of a value."""

    KEEP = "as it is"
    FILE = "as in the file"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of each."""

    state: ServerState | Unsaid = Unsaid.KEEP
    weight: int | Unsaid = Unsaid.KEEP
    max_sessions: int | Unsaid = Unsaid.KEEP

    @property
    def words(self) -> str:
        """The wish, as in "state drain, weight as in the file"."""
        parts = (("state", self.state), ("weight", self.weight), ("max_sessions", self.max_sessions))
        return ", ".join(f"{name} {_words(value)}" for name, value in parts if value is not Unsaid.KEEP)


def _words(value: enum.Enum | int) -> str:
    return str(value.value) if isinstance(value, enum.Enum) else str(value)
