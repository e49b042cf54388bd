"""Generations that leave: nothing new is taken, what lives may finish for a while, then the processes are gone."""

from typing import Protocol

from l4d.address import Inet
from l4d.child import channel
from l4d.log.log import Log
from l4d.master.generation import Child, Generation
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

    def generation_gone(self) -> None:
        """Nothing of one is left."""
        ...


class Departures:
    """Those on their way out."""

    def __init__(self, timers: Timers, nursery: Nursery, parent: Parent) -> None:
        self.generations: list[Generation] = []
        self._timers = timers
        self._nursery = nursery
        self._parent = parent

    def begin(self, generation: Generation, word: bytes, limit: float) -> None:
        """Let its workers leave, by *word*, within *limit* seconds; 0: however long it takes."""
        generation.leaving = True
        self.generations.append(generation)
        self._nursery.tell(generation, word)
        if limit:
            self._timers.after(limit, lambda: self.end_sessions(generation))

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
        if word == channel.QUIET:
            child.quiet = True
            self.look(child.generation)

    def look(self, generation: Generation) -> None:
        """One of its workers is quiet or gone, or it had none to begin with: what is to be told?"""
        if generation.quiet:
            self._parent.generation_quiet(generation)
        if not generation.children and generation in self.generations:
            self.generations.remove(generation)
            self._parent.log.info(f"generation {generation.number} is gone")
            self._parent.generation_gone()

    def served(self) -> set[Served]:
        """Addresses that workers on their way out still have; when nothing serves they are all there is."""
        plans = [(each.prepared.config, each.prepared.plan) for each in self.generations]
        return {
            (config.listeners[name].protocol, bound.address)
            for config, plan in plans
            for name, bounds in plan.by_listener.items()
            for bound in bounds
            if isinstance(bound.address, Inet)
        }
