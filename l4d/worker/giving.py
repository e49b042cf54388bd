"""Handing over: the sessions of a worker that leaves go to the workers of the next generation, chunk by chunk.

    drain --> flows, then TCP sessions, chunk by chunk --> what still dials, when it can be moved --> nobody is left
                |
                +--> all flows are moved --> steered: the UDP sockets are read empty, and left to the successors

Between two chunks the loop turns, so that those who are still to move are served. Whatever a successor does not take
goes on here.
"""

import socket
from collections.abc import Callable, Iterator
from itertools import chain, islice

from l4d.access.capacity import TCP_DESCRIPTORS, Capacity
from l4d.handover import record, settings
from l4d.handover.link import portions
from l4d.handover.parcel import Parcel
from l4d.linux.messages import MOST_DESCRIPTORS
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.tcp import transfer as tcp_transfer
from l4d.tcp.service import Movable
from l4d.udp import transfer as udp_transfer
from l4d.udp.client import Entry
from l4d.udp.flow import Flow
from l4d.udp.refused import Refused
from l4d.worker.outgoing import Outgoing
from l4d.worker.passing import Passing
from l4d.worker.services import Services

CHUNK = 24
"""Sessions in a chunk at the most: nobody waits for more than these."""

MOST_BYTES = 4 << 20
"""Bytes on their way in a chunk, about."""

LOOK = 0.05
"""Seconds between two looks for sessions that could not be moved before."""


class Giver:
    """All links of one worker to the next generation."""

    def __init__(
        self,
        loop: Loop,
        log: Log,
        services: Services,
        capacity: Capacity,
        place: tuple[int, int],
        on_moved: Callable[[], None],
    ) -> None:
        """*place* is our slot, of so many; *on_moved* is called once, when all flows are with a successor."""
        self._loop = loop
        self._log = log
        self._services = services
        self._capacity = capacity
        self._place = place
        self._on_moved = on_moved
        self._links: dict[int, Outgoing] = {}
        self._parting: list[Outgoing] = []  # links that were replaced, until what is under way there is answered
        self._slots = 0
        self._passing = Passing(loop, (), self._links, *place)
        self._stuck: set[object] = set()  # what a successor has refused
        self._flows: dict[int, list[Entry]] = {}
        self._giving = False
        self._moved = False
        self._looks = loop.queue(LOOK, Giver._look)

    @property
    def has_heirs(self) -> bool:
        return bool(self._links)

    @property
    def switched(self) -> bool:
        """Whether the UDP sockets are the successors', or there are none."""
        return self._giving and self._passing.switched

    @property
    def busy(self) -> bool:
        """Whether sessions are under way."""
        return any(outgoing.busy for outgoing in (*self._links.values(), *self._parting))

    def add(self, slot: int, slots: int, sock: socket.socket) -> None:
        """A link to the worker that has *slot*, of so many, from now on; it replaces the one we had to it."""
        stale = [one for one in self._links.values() if one.slot == slot or slots != self._slots]
        self._slots = slots
        self._stuck.clear()  # this one may know what the last did not
        for outgoing in stale:
            self._parting.append(self._links.pop(outgoing.slot))
            outgoing.part()
        outgoing = self._links[slot] = Outgoing(self._loop, self._log, self, sock, slot)
        listeners = [one.service.listener for one in self._services.all]
        told = [{"name": listener.name, **settings.told(listener)} for listener in listeners]
        for some in portions(told):
            outgoing.say({"version": record.VERSION, "listeners": some})
        if self._giving:
            self._passing.begin(slots)
            self._sort_flows()
            if self.switched:
                outgoing.say({"switched": True})

    def begin(self) -> None:
        """Hand over from now on."""
        if self._giving:
            return
        self._giving = True
        receivers = self._services.receivers.values()
        self._passing = Passing(self._loop, receivers, self._links, *self._place)
        self._passing.begin(self._slots)
        self._sort_flows()
        if self.switched:  # there is no UDP
            for outgoing in self._links.values():
                outgoing.say({"switched": True})
        self._look()

    def steered(self, on_switched: Callable[[], None]) -> None:
        """The kernel gives UDP clients to the successors; *on_switched* is called when nothing of theirs is here."""
        if not self.switched:
            self._passing.steered(on_switched)

    def _look(self) -> None:
        for outgoing in [one for one in self._links.values() if one.idle]:
            if outgoing.room < TCP_DESCRIPTORS:
                outgoing.send([])  # the answer says whether there is room again
            else:
                self.ready(outgoing)
        self._look_for_flows()
        self._looks.enter(self, self._loop.now)

    def _sort_flows(self) -> None:
        """Which flow goes to which slot."""
        self._flows = {}
        for entry in chain.from_iterable(udp_transfer.movable(udp) for udp in self._services.udp.values()):
            if entry not in self._stuck:
                self._flows.setdefault(self._passing.slot_of(entry.client), []).append(entry)

    # What a link says

    def ready(self, outgoing: Outgoing) -> None:
        """Send it the next chunk, if there is one."""
        if not self._giving or outgoing.room < TCP_DESCRIPTORS:
            return
        parcels = list(self._parcels(outgoing))
        if parcels:
            outgoing.send(parcels)

    def taken(self, parcel: Parcel) -> None:
        """It lives there: our copies of its descriptors are closed."""
        for sock in parcel.sockets:
            self._loop.close(sock, sock.fileno())
        self._release(parcel)
        self._look_for_flows()

    def came_back(self, parcel: Parcel, *, refused: bool) -> None:
        """It goes on here, as if it had come from elsewhere."""
        stage = self._services.adopt(parcel)
        if refused:
            self._stuck.add(stage)
        elif isinstance(stage, (Flow, Refused)):
            self._flows.setdefault(self._passing.slot_of(stage.client), []).append(stage)
        self._release(parcel)

    def unclogged(self) -> None:
        """A link takes messages again, or is gone."""
        for slot in [slot for slot, outgoing in self._links.items() if outgoing.broken]:
            del self._links[slot]
        self._parting = [outgoing for outgoing in self._parting if not outgoing.broken]
        if self._giving:
            self._passing.regulate()

    def _release(self, parcel: Parcel) -> None:
        if parcel.descriptors:
            self._capacity.give_back(parcel.descriptors)

    def _look_for_flows(self) -> None:
        """Tell once that all flows are with a successor."""
        if self._giving and not self._moved and not any(self._flows.values()) and not self.busy:
            self._moved = True
            self._on_moved()

    # A chunk

    def _parcels(self, outgoing: Outgoing) -> Iterator[Parcel]:
        """The sessions of the next chunk, as many as there is room for; they are nobody's from here on."""
        descriptors = min(outgoing.room, MOST_DESCRIPTORS - 1)  # one for the memory
        held = 0
        for one in islice(self._next(outgoing), CHUNK):
            parcel = one.hand_over()
            yield parcel
            descriptors -= len(parcel.sockets)
            held += len(parcel.up) + len(parcel.down)
            if descriptors < TCP_DESCRIPTORS or held > MOST_BYTES:
                return

    def _next(self, outgoing: Outgoing) -> Iterator[Movable]:
        """Those that may come into the next chunk: flows first, because their clients are passed on meanwhile."""
        flows = self._flows.get(outgoing.slot, [])
        while flows:
            flow = flows.pop()
            if flow.movable:
                yield flow
        most = min(CHUNK, 1 + self._capacity.sessions // len(self._links))  # each link gets its share
        yield from list(islice(self._tcp_sessions(outgoing), most))

    def _tcp_sessions(self, outgoing: Outgoing) -> Iterator[Movable]:
        for tcp in self._services.tcp.values():
            known = outgoing.tcp.get(tcp.service.listener.name) == tcp.service.upstream.name
            yield from (one for one in tcp_transfer.movable(tcp, queued=known) if one not in self._stuck)
