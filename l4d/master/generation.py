"""A generation: one configuration with the workers that run it.

starting --(all ready, control has looked)--> serving --(a newer one is ready, QUIT, WINCH)--> leaving --(alone)--> gone
   |
   +--(a worker died, or took too long)--> abandoned
"""

import socket
from dataclasses import dataclass, field

from l4d.master.prepare import Prepared
from l4d.stats.columns import Key


@dataclass(eq=False, slots=True)
class Child:
    """A worker process as its master sees it. Times are monotonic seconds."""

    pid: int
    pidfd: int
    channel: socket.socket
    generation: "Generation"
    slot: int
    row: int
    born: float
    ready: bool = False
    quiet: bool = False


@dataclass(eq=False, slots=True)
class Slot:
    """The place of a worker: who has it, and how often the last ones died early."""

    number: int
    child: Child | None = None
    early_deaths: int = 0


@dataclass(eq=False, slots=True)
class Generation:
    """Its number counts reloads from 1."""

    number: int
    prepared: Prepared
    keys: frozenset[Key]  # of the numbers its workers keep
    slots: list[Slot] = field(default_factory=list)
    serving: bool = False
    announced: bool = False
    leaving: bool = False

    @property
    def children(self) -> list[Child]:
        return [slot.child for slot in self.slots if slot.child is not None]

    @property
    def ready(self) -> bool:
        """Whether every slot has a worker that could serve."""
        return all(slot.child is not None and slot.child.ready for slot in self.slots)

    @property
    def quiet(self) -> bool:
        """Whether none of its workers takes anything new."""
        return all(child.quiet for child in self.children)


FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
EARLY = 5.0
"""A worker that dies younger than this has died early; so many seconds."""


def pause_before_replacing(early_deaths: int) -> float:
    """Seconds to wait before a slot gets its next worker: none the first time, then longer and longer."""
    if early_deaths <= 1:
        return 0.0
    return float(min(FIRST_PAUSE * 2 ** min(early_deaths - 2, 16), LONGEST_PAUSE))
