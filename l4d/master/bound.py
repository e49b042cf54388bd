"""A listening address as the master holds it: one SO_REUSEPORT socket for each slot, and the lock that says it is ours.

The sockets of an IP address are a group that we steer (linux/steering.py): a client whose address makes slot k goes to
socket k. So a group may have more sockets than there are slots: those that were opened for a generation that does not
serve yet, and those of slots that were given up, until they are shed (master/shedding.py).
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from l4d.address import Address, Inet
from l4d.config.model import Listener
from l4d.linux import listening, steering
from l4d.terms import Protocol

Place: TypeAlias = tuple[Protocol, Address, str]
"""What makes an address the same after a reload. The last is "" but for port 0, where each listener has its own."""


@dataclass(eq=False, slots=True)
class Bound:
    """One address with its sockets, the slots' in order."""

    protocol: Protocol
    address: Address  # as the kernel has it: with the real port
    listener: str  # whose it is, or was when it was retired
    lock: socket.socket
    sockets: list[socket.socket]
    steered: bool  # not a unix socket, nor a group with sockets of others in it, whose order is not known
    retired: bool = False  # no listener has it any more, and it is kept for the flows that live there

    def of_slot(self, slot: int, slots: int) -> list[socket.socket]:
        """What the worker in *slot*, of so many *slots*, listens on.

        Where the kernel chooses, and there were more slots before, that may be several, since it gives clients to all.
        A unix socket has no second: all slots share it.
        """
        if self.steered:
            return self.sockets[slot : slot + 1]
        return self.sockets[slot::slots] or self.sockets[:1]

    def surplus_of_slot(self, slot: int, slots: int) -> list[socket.socket]:
        """Sockets of slots that were given up, whose queues are the worker's in *slot*. UDP has none: nothing comes."""
        if self.steered and self.protocol is Protocol.TCP:
            return self.sockets[slot + slots :: slots]
        return []

    def has_surplus(self, slots: int) -> bool:
        """Whether there are sockets of slots that were given up, and that can be closed."""
        return self.steered and len(self.sockets) > slots

    @property
    def port(self) -> int:
        """0 for a unix socket."""
        return self.address.port if isinstance(self.address, Inet) else 0

    def release(self) -> None:
        """Nobody listens there any more: close our copies; the path of a unix socket goes with them."""
        listening.remove_path(self.address)
        self.close()

    def close(self) -> None:
        """Close our copies; another master has its own."""
        for sock in (self.lock, *self.sockets):
            sock.close()
        self.sockets.clear()


def place_of(listener: Listener, address: Address) -> Place:
    """The place of an address as the configuration has it."""
    if isinstance(address, Inet) and address.port == 0:
        return listener.protocol, address, listener.name
    return listener.protocol, address, ""


def steer(bounds: Iterable[Bound], slots: int) -> None:
    """Have clients of these addresses go to the first *slots* sockets from here on. Raises OSError."""
    for bound in bounds:
        if bound.steered:
            steering.attach(bound.sockets[0], slots)
        elif isinstance(bound.address, Inet):
            steering.detach(bound.sockets[0])


def shed(bounds: Iterable[Bound], slots: int) -> int:
    """Close our copies of sockets that nobody is steered to: how many. Nobody else has one, and no client is queued."""
    closed = 0
    for bound in bounds:
        while bound.has_surplus(slots):
            bound.sockets.pop().close()  # the last first: none of a group is moved into the place of another
            closed += 1
    return closed
