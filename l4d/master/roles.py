"""Who stands around the generations of a master, as they see it."""

from collections.abc import Sequence
from typing import Protocol

from l4d.errors import StartError
from l4d.master.generation import Generation


class Parent(Protocol):
    """The master, who is told."""

    def is_busy(self) -> bool:
        """Whether a change is under way."""
        ...

    def generation_settled(self) -> None:
        """The starting generation is the present one now; another one may begin."""
        ...

    def generation_failed(self, error: StartError) -> None:
        """The starting generation did not come up; what was before is as it was."""
        ...

    def generation_announced(self) -> None:
        """The present generation serves alone."""
        ...

    def generation_quiet(self) -> None:
        """No worker takes anything new, and none follows: they finish."""
        ...

    def control_asks(self, what: str) -> Sequence[str]:
        """An operator wants a reload, ..., see child/channel.py: why it cannot be; nothing, if it is begun."""
        ...

    def process_left(self) -> None:
        """One worker or control process less."""
        ...


class Elders(Protocol):
    """Another master's processes, which ours follow at an upgrade. Answers come later."""

    def born(self, row: int, pidfd: int) -> None:
        """A process of ours writes *row*. No answer is wanted."""
        ...

    def make_room(self) -> None:
        """Our control is ready; theirs is to leave. Answered by `Steward.have_room`."""
        ...

    def arrived(self, generation: Generation) -> None:
        """It could serve; theirs are to leave. Answered by `Generations.commit`."""
        ...

    def relink(self, slot: int) -> None:
        """The worker of *slot* is another one, and is to know of theirs. Answered by `begin` for that slot."""
        ...
