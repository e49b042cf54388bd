"""Which workers get the clients: those of what serves, or of another master; sockets left over are closed."""

from collections.abc import Callable

from l4d.master.estate import Estate
from l4d.master.generation import Child, Generation
from l4d.master.shedding import Parent, Shedding
from l4d.master.timers import Timers
from l4d.terms import Protocol

LOOK = 1.0
"""Seconds between two looks whether retired addresses can be closed."""


class Steering:
    """Of all addresses that one master holds. What fails is logged: clients then go where they went before."""

    def __init__(self, estate: Estate, timers: Timers, parent: Parent) -> None:
        self._estate = estate
        self._timers = timers
        self._parent = parent
        self._shedding: Shedding | None = None

    def tcp(self, generation: Generation) -> None:
        """TCP clients go to the workers of *generation*, which is the present from here on."""
        prepared = generation.prepared
        done = self._attempt("tcp", prepared.slots, lambda: self._estate.steer(prepared, Protocol.TCP))
        self._shedding = Shedding(generation, self._timers, self._parent) if done else None

    def udp(self, generation: Generation) -> None:
        """UDP clients, too."""
        prepared = generation.prepared
        self._attempt("udp", prepared.slots, lambda: self._estate.steer(prepared, Protocol.UDP))

    def udp_away(self, slots: int) -> None:
        """UDP clients go to the workers of another master."""
        self._attempt("udp", slots, lambda: self._estate.steer_to(slots))

    def shed(self, child: Child) -> None:
        """*child* has closed what it had of slots that were given up."""
        if self._shedding is not None:
            self._shedding.shed(child)

    def vacant(self, child: Child) -> None:
        """No flow is left at *child* on retired addresses: they are closed when all its generation says so."""
        child.vacant = True
        self._vacate(child.generation)

    def _vacate(self, generation: Generation) -> None:
        """Not while others have them too: a generation that starts, the next program, workers of before."""
        if generation.leaving or not all(child.vacant for child in generation.children):
            return
        if self._parent.settled:
            self._estate.vacate(generation.prepared)
        else:
            self._timers.after(LOOK, lambda: self._vacate(generation))

    def _attempt(self, what: str, slots: int, steer: Callable[[], None]) -> bool:
        try:
            steer()
        except OSError as error:
            self._parent.log.error(f"steering {what} clients to {slots} workers: {error.strerror}")
            return False
        return True
