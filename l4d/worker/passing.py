"""UDP clients between two generations: what is read here and has no flow here is passed on to where it belongs.

A client belongs to the slot whose socket the kernel gives its datagrams to: with as many slots as before, to the
successor in our own; else to the one that the hash of its address says (linux/steering.py).

    reading <----> paused (a link is full, or its other end is being replaced) ; steered: read empty --> switched
"""

import time
from collections.abc import Callable, Iterable, Mapping

from l4d.linux.datagram import datagrams_in
from l4d.linux.steering import slot_of
from l4d.loop.loop import IN, Loop
from l4d.udp import transfer
from l4d.udp.client import Client
from l4d.udp.receive import Receiver
from l4d.worker.outgoing import Outgoing

PIECE = 0.005
"""Seconds for which the sockets are read in one go when they are to be left; others have their turn between."""


class Passing:
    """All UDP sockets of a worker that leaves."""

    def __init__(
        self, loop: Loop, receivers: Iterable[Receiver], links: Mapping[int, Outgoing], slot: int, slots: int
    ) -> None:
        """*slot* is our own, of so many in our generation."""
        self._loop = loop
        self._pieces = loop.queue(0.0, Passing._read_out)
        self._left: dict[Receiver, int] = {}
        """How many datagrams may still be queued that came before the steering."""
        self._receivers = tuple(receivers)
        self._links = links
        self._own = slot, slots
        self._slots = slots
        self._reading = True
        self._on_switched: Callable[[], None] | None = None
        self.switched = not self._receivers

    def begin(self, slots: int) -> None:
        """The next generation has so many slots; from here on, clients without a flow are its."""
        self._slots = slots
        for receiver in self._receivers:
            receiver.pass_on(self._pass_on)
        self.regulate()

    def slot_of(self, client: Client) -> int:
        """Where the client belongs."""
        own, slots = self._own
        return own if slots == self._slots else slot_of(client.sockaddr, self._slots)

    def _pass_on(self, receiver: Receiver, client: Client, data: memoryview, cut: int) -> None:
        outgoing = self._links.get(self.slot_of(client))
        if outgoing is None:  # its other end has just died; no more is read before there is another one
            receiver.udp.service.tally.drop("stopping", datagrams_in(len(data), cut))
            return
        outgoing.say({"datagram": transfer.datagram_told(receiver, client, cut)}, bytes(data))
        self.regulate()

    def regulate(self) -> None:
        """Read as long as all can be passed on."""
        reading = not (self.switched or self._stopped)
        if reading != self._reading:
            self._reading = reading
            for receiver in self._receivers:
                if reading:
                    receiver.watch()
                else:
                    receiver.shut()
        if self._on_switched is not None and (reading or not self._links):
            self._pieces.enter(self, self._loop.now)

    @property
    def _stopped(self) -> bool:
        own, slots = self._own
        needed = (own,) if slots == self._slots else range(self._slots)
        return any(slot not in self._links or self._links[slot].clogged for slot in needed)

    def steered(self, on_switched: Callable[[], None]) -> None:
        """New datagrams come to the successors' sockets: read what is queued in ours, tell, and read no more.

        With as many slots as before they come to the same sockets, and what is queued there is the successor's as well.
        """
        self._on_switched = on_switched
        if self._own[1] != self._slots:
            self._left = {receiver: receiver.queued_at_most() for receiver in self._receivers}
        self._read_out()

    def _read_out(self) -> None:
        """A piece of the last look into the sockets; it goes on later if a link is full."""
        on_switched = self._on_switched
        if on_switched is None or (self._links and self._stopped):
            return
        if self._links:  # where none is left, nothing can be passed on
            self._read_piece(time.monotonic() + PIECE)
        if self._left and self._links:
            self._pieces.enter(self, self._loop.now)
            return
        self._on_switched = None
        self._switch()
        on_switched()

    def _read_piece(self, until: float) -> None:
        """Read what came before the steering, and, as it cannot be told apart, some of what came after it."""
        for receiver in list(self._left):
            while not self._stopped and time.monotonic() < until:
                found = receiver.on_datagrams(IN)
                self._left[receiver] -= found
                if not found or self._left[receiver] <= 0:
                    del self._left[receiver]
                    break

    def _switch(self) -> None:
        self._left.clear()
        for receiver in self._receivers:
            receiver.count_lost()
        self.switched = True
        self.regulate()
        for outgoing in self._links.values():
            outgoing.say({"switched": True})
