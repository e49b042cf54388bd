"""Generations that leave: nothing new is taken, what lives may finish for a while, then the processes are gone."""

from collections.abc import Callable
from typing import Protocol

from l4d.child import channel
from l4d.log.log import Log
from l4d.master.generation import Child, Generation
from l4d.master.handover import Handover, Heirs
from l4d.master.instance import Served
from l4d.master.nursery import Nursery
from l4d.master.timers import Timers

STOP_TIMEOUT = 0.5
"""A worker told to stop that is still there by then is killed, in seconds."""


class Parent(Protocol):
    """Who is told."""

    log: Log

    def generation_quiet(self, generation: Generation) -> None:
        """No worker of it takes anything new any more."""
        ...

    def handed_over(self) -> None:
        """Another generation may begin."""
        ...

    def generation_gone(self, generation: Generation) -> None:
        """Nothing of one is left."""
        ...


class Departures:
    """Those on their way out."""

    def __init__(self, timers: Timers, nursery: Nursery, parent: Parent) -> None:
        self.generations: list[Generation] = []
        self._timers = timers
        self._nursery = nursery
        self._parent = parent
        self.handover = Handover(timers, parent.handed_over, self._tell_of_lack)

    @property
    def abandoned(self) -> bool:
        """Whether some worker that never served is still there, and with it our sockets in their old order."""
        return any(generation.children and not generation.serving for generation in self.generations)

    @property
    def children(self) -> list[Child]:
        """Every worker that is on its way out."""
        return [child for generation in self.generations for child in generation.children]

    def hand_over(self, old: Generation | None, heirs: Heirs, steer: Callable[[], None]) -> None:
        """Have all sessions of *old*, and of those that leave already, go to *heirs*. *steer*: see Handover."""
        elders = [*(old.children if old is not None else ()), *self.children]
        self.handover.begin(elders, heirs, steer)
        for generation in self.generations:
            self._nursery.tell(generation, channel.DRAIN)

    def _tell_of_lack(self, error: OSError) -> None:
        self._parent.log.seldom("links", f"handing sessions over: {error.strerror}; some stay where they are")

    def left(self, child: Child) -> None:
        """A worker of one is gone."""
        if self.handover.left(child):
            self._nursery.refill(child.generation, child.slot)
        self.look(child.generation)

    def begin(self, generation: Generation, word: bytes, limit: float) -> None:
        """Let its workers leave, by *word*, within *limit* seconds; 0: however long it takes."""
        generation.leaving = True
        self.generations.append(generation)
        self._nursery.tell(generation, word)
        number = generation.number  # a timer that had the generation would keep it, when it is gone, from being freed
        if limit:
            self._timers.after(limit, lambda: self._time_is_over(number))

    def _time_is_over(self, number: int) -> None:
        for generation in [each for each in self.generations if each.number == number]:
            self.end_sessions(generation)

    def kill(self, generation: Generation) -> None:
        """One that never served leaves at once."""
        generation.leaving = True
        self.generations.append(generation)
        self._nursery.kill(generation)

    def end_sessions(self, generation: Generation) -> None:
        """What lives has had its time; a worker that does not go is killed."""
        generation.leaving = True
        self._nursery.tell(generation, channel.STOP)
        self._timers.after(STOP_TIMEOUT, lambda: self._nursery.kill(generation))

    def heard(self, child: Child, word: bytes) -> None:
        """A worker has a word about its leaving."""
        if word == channel.MOVED:
            self.handover.moved(child)
        elif word == channel.QUIET:
            self.handover.quiet(child)
            self.look(child.generation)

    def look(self, generation: Generation) -> None:
        """One of its workers is quiet or gone, or it had none to begin with: what is to be told?"""
        if generation.quiet:
            self._parent.generation_quiet(generation)
        if not generation.children and generation in self.generations:
            self.generations.remove(generation)
            self._parent.log.info(f"generation {generation.number} is gone")
            self._parent.generation_gone(generation)

    def served(self) -> set[Served]:
        """Addresses that workers on their way out still have; when nothing serves they are all there is."""
        return {address for each in self.generations for address in each.prepared.plan.served()}
