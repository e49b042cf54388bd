"""Which listening sockets a configuration has, kept over reloads so that no queue is ever lost.

A reload plans first: what the new configuration needs is taken from what is held, and what is missing is opened. Only
when all of it could be opened the plan is kept; else what was opened for it is closed, and nothing has changed. What
joins the sockets of an address that is held gets no client before `steer` (master/bound.py) says so: when the plan is
the present.
"""

import contextlib
import errno
import socket
from collections.abc import Collection, Iterator

from l4d.address import Address, Inet, Unix
from l4d.config.model import Config, Listener
from l4d.errors import StartError
from l4d.linux import listening
from l4d.master.bound import Bound, Place, place_of, steer
from l4d.master.instance import Served
from l4d.master.opening import explain, open_address
from l4d.terms import Protocol


class Plan:
    """The sockets for one configuration, some held before and some new, and those that are kept for flows alone."""

    def __init__(self, slots: int, held: dict[Place, Bound], served: Collection[Served]) -> None:
        """*held* is what we have already; *served* are addresses in use by ours too, by workers that leave."""
        self.slots = slots
        self._held = held
        self._served = served
        self._retired = {(bound.protocol, bound.address): bound for bound in held.values() if bound.retired}
        self._taken: set[Bound] = set()
        self._new: set[Bound] = set()
        self._added: list[tuple[Bound, socket.socket]] = []
        self.places: dict[Place, Bound] = {}
        self.by_listener: dict[str, list[Bound]] = {}
        self.retired: dict[str, list[Bound]] = {}  # by the listener they had

    def take(self, listener: Listener, address: Address) -> None:
        """Have the sockets of one address. Raises OSError or StartError."""
        place = place_of(listener, address)
        bound = self._find(place) or self._open(listener, address)
        self.places[place] = bound
        self._taken.add(bound)
        self.by_listener.setdefault(listener.name, []).append(bound)
        if not isinstance(address, Unix):
            self._fill(bound)

    def retire(self) -> None:
        """Keep the UDP addresses that nobody has taken, for the flows that live there. Raises OSError."""
        for place, bound in self._held.items():
            if bound.protocol is Protocol.UDP and bound not in self._taken:
                self.places[place] = bound
                self.retired.setdefault(bound.listener, []).append(bound)
                self._fill(bound)

    def _find(self, place: Place) -> Bound | None:
        """What we hold in that place, or a retired address that is this one, unless another listener has taken it."""
        bound = self._held.get(place) or self._retired.get(place[:2])
        return bound if bound not in self._taken else None

    def _open(self, listener: Listener, address: Address) -> Bound:
        """The first socket of a new address, and its lock."""
        bound = open_address(
            listener,
            address,
            self.slots,
            in_our_way=isinstance(address, Inet) and self._overlaps_ours(listener.protocol, address),
            left=(listener.protocol, address) in self._served,
        )
        self._new.add(bound)
        return bound

    def _fill(self, bound: Bound) -> None:
        """A socket for each slot, behind those that are there."""
        while len(bound.sockets) < self.slots:
            sock = listening.join(bound.sockets[0], bound.address)
            bound.sockets.append(sock)
            self._added.append((bound, sock))

    def _overlaps_ours(self, protocol: Protocol, address: Inet) -> bool:
        """Whether we hold an address that overlaps: then we are in our own way, and rightly."""
        held = [bound.address for bound in (*self._held.values(), *self._taken) if bound.protocol is protocol]
        ours = [*held, *(one for kind, one in self._served if kind is protocol)]
        return any(isinstance(one, Inet) and one.overlaps(address) for one in ours)

    def listen(self, config: Config) -> None:
        """Set the options of what is new, and take clients there from here on. Raises OSError."""
        fresh = self._fresh()
        for listener, bound, sock in self._each(config):
            if sock in fresh:
                listening.tune(sock, listener)
                listening.listen(sock, listener)
                if bound.steered and sock is bound.sockets[0]:
                    steer([bound], self.slots)  # before the others join it

    def retune(self, config: Config) -> None:
        """Set the options of what was there before: only once the plan is the present."""
        fresh = self._fresh()
        for listener, _bound, sock in self._each(config):
            if sock not in fresh:
                with contextlib.suppress(OSError):  # a value that was fine for the new ones
                    listening.tune(sock, listener)
                    listening.listen(sock, listener)

    def _each(self, config: Config) -> Iterator[tuple[Listener, Bound, socket.socket]]:
        for name, bounds in self.by_listener.items():
            for bound in bounds:
                for sock in bound.sockets:
                    yield config.listeners[name], bound, sock

    def _fresh(self) -> set[socket.socket]:
        """The sockets that were opened for this plan."""
        return {sock for bound in self._new for sock in bound.sockets} | {sock for _, sock in self._added}

    def settle(self) -> None:
        """The plan is the present: each address is its listener's, or retired."""
        for bounds in self.retired.values():
            for bound in bounds:
                bound.retired = True
        for name, bounds in self.by_listener.items():
            for bound in bounds:
                bound.listener, bound.retired = name, False

    def vacate(self) -> None:
        """The plan is the present, and no flow is left on addresses that are retired: close them."""
        for bounds in self.retired.values():
            for bound in bounds:
                bound.release()
        self.retired.clear()
        self.places = {place: bound for place, bound in self.places.items() if not bound.retired}

    def drop(self) -> None:
        """Close what was opened for this plan; what was there before stays as it was."""
        for bound, sock in reversed(self._added):  # so that none of a group is moved into the place of another
            bound.sockets.remove(sock)
            sock.close()
        for bound in self._new:
            bound.release()

    def opened(self) -> Iterator[tuple[str, Bound]]:
        """The new addresses, with their listener's name."""
        for name, bounds in self.by_listener.items():
            for bound in bounds:
                if bound in self._new:
                    yield name, bound

    def of_protocol(self, protocol: Protocol) -> list[Bound]:
        """All its addresses of one protocol, retired ones too."""
        return [bound for bound in self.places.values() if bound.protocol is protocol]

    def served(self) -> set[Served]:
        """The IP addresses that its workers have."""
        every = self.places.values()
        return {(bound.protocol, bound.address) for bound in every if isinstance(bound.address, Inet)}

    def of_slot(self, slot: int) -> dict[str, list[socket.socket]]:
        """One slot's sockets, by listener."""
        return self._of_slot(self.by_listener, slot)

    def surplus_of_slot(self, slot: int) -> dict[str, list[socket.socket]]:
        """Sockets of slots that were given up, whose queues are this one's, by listener; none once they are closed."""
        return {
            name: [sock for bound in bounds for sock in bound.surplus_of_slot(slot, self.slots)]
            for name, bounds in self.by_listener.items()
        }

    def retired_of_slot(self, slot: int) -> dict[str, list[socket.socket]]:
        """One slot's sockets on retired addresses, by the listener they had; none are left once those are closed."""
        return self._of_slot(self.retired, slot)

    def _of_slot(self, addresses: dict[str, list[Bound]], slot: int) -> dict[str, list[socket.socket]]:
        return {
            name: [sock for bound in bounds for sock in bound.of_slot(slot, self.slots)]
            for name, bounds in addresses.items()
        }


def plan(
    config: Config, slots: int, held: dict[Place, Bound], served: Collection[Served], *, retain: bool = False
) -> Plan:
    """The sockets for *config*, see Plan; with *retain*, UDP addresses that are gone from it are retired.

    Raises StartError with all that failed; nothing is left open then.
    """
    made = Plan(slots, held, served)
    problems: list[str] = []
    for listener in config.listeners.values():
        for address in listener.addresses:
            try:
                made.take(listener, address)
            except StartError as error:
                problems += error.messages
            except OSError as error:
                problems.append(explain(listener.protocol, address, f"listeners.{listener.name}", error))
                if error.errno in {errno.EMFILE, errno.ENFILE}:
                    made.drop()
                    raise StartError(*problems) from None  # the others would say the same
    if not problems:
        try:
            if retain:
                made.retire()
            made.listen(config)
        except OSError as error:
            problems.append(f"setting up the listening sockets: {error.strerror}")
    if problems:
        made.drop()
        raise StartError(*problems)
    return made


def keep(made: Plan, config: Config, held: dict[Place, Bound]) -> dict[Place, Bound]:
    """The plan is the present: close our copies of what it does not need. What its workers still have lives on."""
    made.retune(config)
    made.settle()
    kept = set(made.places.values())
    for bound in held.values():
        if bound not in kept:
            bound.release()
    return made.places
