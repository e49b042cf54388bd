"""A generation: one configuration with the workers that run it.

starting --(all ready, control has looked)--> serving --(a newer one is ready, QUIT, WINCH)--> leaving --(alone)--> gone
   |
   +--(a worker died, or took too long)--> abandoned
"""

import socket
from dataclasses import dataclass, field
from typing import Protocol

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
    moved: bool = False  # it has said so, see child/channel.py
    steered: bool = False  # it was told so
    quiet: bool = False  # it has said so, or left by itself
    vacant: bool = False  # it has said so


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

    def child_of(self, slot: int) -> Child | None:
        """The worker in *slot*, if there is such a slot and somebody in it."""
        return self.slots[slot].child if 0 <= slot < len(self.slots) else None

    @property
    def ready(self) -> bool:
        """Whether every slot has a worker that could serve."""
        return all(slot.child is not None and slot.child.ready for slot in self.slots)

    @property
    def abandoned(self) -> bool:
        """Whether it leaves, and never served."""
        return self.leaving and not self.serving

    @property
    def quiet(self) -> bool:
        """Whether none of its workers takes anything new."""
        return all(child.quiet for child in self.children)


FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
EARLY = 5.0
"""A process that dies younger than this has died early; so many seconds."""

READY_TIMEOUT = 20.0
"""A process, or a generation, that is not ready by then will not be, in seconds."""


class Mortal(Protocol):
    """A process that was born (monotonic seconds), and may have become ready."""

    born: float
    ready: bool


def died_early(dead: Mortal, now: float) -> bool:
    """Whether its death says that the next one may die as well: it was young, or of no use yet."""
    return not dead.ready or now - dead.born < EARLY


def pause_before_replacing(early_deaths: int) -> float:
    """Seconds to wait before the next process takes a dead one's place: none the first time, then more and more."""
    if early_deaths <= 1:
        return 0.0
    return float(min(FIRST_PAUSE * 2 ** min(early_deaths - 2, 16), LONGEST_PAUSE))
