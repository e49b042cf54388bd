"""Shedding: when there are fewer slots than before, the sockets that no client is steered to any more are closed.

    steered --(1 s)--> handshakes noted --(over, or 75 s)--> settled --> workers have shed theirs --> ours are closed

A client whose handshake began before it would have been steered elsewhere is queued in a socket that was given up, and
closing that would reset it. So these handshakes are waited for. Then the workers take who is queued and close their
copies, and a look later ours, which are the last, are closed.

A socket keeps its place in the group for as long as anybody has a copy, and the next one that joins would not be where
we count it. So nothing is closed before the workers of before are gone. Nor while a change is under way, whose plan has
the sockets: if it comes about, its generation begins anew; if not, we go on. What a worker has closed by then is not
lost, as we have it still.
"""

from typing import Protocol

from l4d.child import channel
from l4d.linux.handshakes import Handshake, in_flight
from l4d.log.log import Log
from l4d.master import bound
from l4d.master.bound import Bound
from l4d.master.generation import Child, Generation
from l4d.master.timers import Timers
from l4d.terms import Protocol as Kind

LOOK = 1.0
"""Seconds between two looks, and from the steering to the first: by then, what was begun before is in the table."""

PATIENCE = 75
"""So many looks a handshake is waited for: longer than its last SYN-ACK is out (63 s with tcp_synack_retries at 5)."""


class Parent(Protocol):
    """Who knows what else goes on."""

    log: Log

    @property
    def settled(self) -> bool:
        """Whether no process but those of what serves has the sockets, and no change is under way."""
        ...


class Shedding:
    """That of one generation, for as long as it serves."""

    def __init__(self, generation: Generation, timers: Timers, parent: Parent) -> None:
        """TCP clients have just been steered to *generation*."""
        self._generation = generation
        self._timers = timers
        self._parent = parent
        self._awaited: set[Handshake] | None = None  # None: not noted yet
        self._looks = 0
        self._shed: set[Child] = set()
        if self._surplus():
            timers.after(LOOK, self._look)

    def shed(self, child: Child) -> None:
        """*child* has no copy any more."""
        self._shed.add(child)

    def _surplus(self) -> list[Bound]:
        """The addresses with more sockets than slots."""
        plan = self._generation.prepared.plan
        return [each for each in plan.places.values() if each.has_surplus(plan.slots)]

    def _look(self) -> None:
        surplus = self._surplus()
        if self._generation.leaving or not surplus:
            return
        self._timers.after(LOOK, self._look)
        self._looks += 1
        if self._clients_may_come(surplus) or not self._parent.settled:
            return
        holders = [child for child in self._generation.children if child not in self._shed]
        for child in holders:  # again, where somebody waits who cannot be taken yet; a replacement for the first time
            channel.say(child.channel, channel.SHED)
        if not holders:
            self._close(surplus)

    def _clients_may_come(self, surplus: list[Bound]) -> bool:
        """Whether a handshake of before may be left. It ends unseen, so there is one look more than finds any."""
        if self._looks > PATIENCE or self._awaited == set():
            return False
        try:
            found = in_flight({each.port for each in surplus if each.protocol is Kind.TCP})
        except OSError:
            return True
        self._awaited = found if self._awaited is None else self._awaited & found
        return True

    def _close(self, surplus: list[Bound]) -> None:
        closed = bound.shed(surplus, self._generation.prepared.plan.slots)
        self._parent.log.info(f"closed {closed} listening sockets of slots that were given up")
