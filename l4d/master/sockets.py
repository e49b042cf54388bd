"""The listening sockets: one for each address and slot, kept over reloads so that no queue is ever lost.

A reload plans first: what the new configuration needs is taken from what is held, and what is missing is opened. Only
when all of it could be opened the plan is kept; else what was opened for it is closed, and nothing has changed.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from l4d.address import Address, Inet, Unix, from_sockaddr
from l4d.config.model import Config, Listener
from l4d.errors import StartError
from l4d.linux import listening
from l4d.master import instance
from l4d.master.holders import who_holds
from l4d.master.instance import Served
from l4d.terms import Protocol

Place: TypeAlias = tuple[Protocol, Address, str]
"""What makes an address the same after a reload. The last is "" but for port 0, where each listener has its own."""


@dataclass(slots=True)
class Bound:
    """One address with its sockets, the slots' in order, and the lock that says it is ours."""

    address: Address  # as the kernel has it: with the real port
    lock: socket.socket
    sockets: list[socket.socket] = field(default_factory=list)

    def close(self) -> None:
        for sock in (self.lock, *self.sockets):
            sock.close()


class Plan:
    """The sockets for one configuration; `kept` were there before, `opened` are new."""

    def __init__(self, slots: int, held: dict[Place, Bound], served: Collection[Served]) -> None:
        """*held* is what we have already; *served* are addresses in use by ours too, by workers that leave."""
        self.slots = slots
        self._held = held
        self._served = served
        self.places: dict[Place, Bound] = {}
        self.by_listener: dict[str, list[Bound]] = {}
        self._new: list[Bound] = []
        self._added: list[tuple[Bound, socket.socket]] = []

    def take(self, listener: Listener, address: Address) -> None:
        """Have the sockets of one address. Raises OSError or StartError."""
        place = _place(listener, address)
        bound = self._held.get(place)
        if bound is None:
            bound = self._open(listener, address)
        self.places[place] = bound
        self.by_listener.setdefault(listener.name, []).append(bound)
        while len(bound.sockets) < (1 if isinstance(address, Unix) else self.slots):
            sock = listening.bind(listener, bound.address)
            bound.sockets.append(sock)
            self._added.append((bound, sock))

    def _open(self, listener: Listener, address: Address) -> Bound:
        """The first socket of a new address, and its lock."""
        if isinstance(address, Inet) and address.port == 0:
            sock = listening.bind(listener, address)
            address = from_sockaddr(sock.getsockname())
            lock = instance.lock(listener.protocol, address)
        else:
            lock = instance.lock(listener.protocol, address)
            try:
                if isinstance(address, Inet) and not self._overlaps_ours(listener.protocol, address):
                    listening.probe(listener, address)
                sock = listening.bind(listener, address)
            except BaseException:
                lock.close()
                raise
        bound = Bound(address, lock, [sock])
        self._new.append(bound)
        return bound

    def _overlaps_ours(self, protocol: Protocol, address: Inet) -> bool:
        """Whether we hold an address that overlaps: then we are in our own way, and rightly."""
        held = [bound.address for place, bound in (*self._held.items(), *self.places.items()) if place[0] is protocol]
        ours = [*held, *(one for kind, one in self._served if kind is protocol)]
        return any(isinstance(one, Inet) and one.overlaps(address) for one in ours)

    def listen(self, config: Config) -> None:
        """Set the options of what is new, and take clients there from here on. Raises OSError."""
        fresh = self._fresh()
        for listener, sock in self._each(config):
            if sock in fresh:
                listening.tune(sock, listener)
                listening.listen(sock, listener)

    def retune(self, config: Config) -> None:
        """Set the options of what was there before: only once the plan is the present."""
        fresh = self._fresh()
        for listener, sock in self._each(config):
            if sock not in fresh:
                with contextlib.suppress(OSError):  # a value that was fine for the new ones
                    listening.tune(sock, listener)
                    listening.listen(sock, listener)

    def _each(self, config: Config) -> Iterator[tuple[Listener, socket.socket]]:
        for name, bounds in self.by_listener.items():
            for bound in bounds:
                for sock in bound.sockets:
                    yield config.listeners[name], sock

    def _fresh(self) -> set[socket.socket]:
        """The sockets that were opened for this plan."""
        return {sock for bound in self._new for sock in bound.sockets} | {sock for _, sock in self._added}

    def drop(self) -> None:
        """Close what was opened for this plan; what was there before stays as it was."""
        for bound, sock in self._added:
            bound.sockets.remove(sock)
            sock.close()
        for bound in self._new:
            release(bound)

    def opened(self) -> Iterator[tuple[str, Bound]]:
        """The new addresses, with their listener's name."""
        for name, bounds in self.by_listener.items():
            for bound in bounds:
                if bound in self._new:
                    yield name, bound

    def of_slot(self, slot: int) -> dict[str, list[socket.socket]]:
        """One slot's sockets, by listener.

        When there were more slots before, a slot has several sockets of an address: one that may hold a queue is never
        closed. A unix socket has no second: all slots share it.
        """
        return {
            name: [sock for bound in bounds for sock in (bound.sockets[slot :: self.slots] or bound.sockets[:1])]
            for name, bounds in self.by_listener.items()
        }


def plan(config: Config, slots: int, held: dict[Place, Bound], served: Collection[Served]) -> Plan:
    """The sockets for *config*, see Plan. Raises StartError with all that failed; nothing is left open then."""
    made = Plan(slots, held, served)
    problems: list[str] = []
    for listener in config.listeners.values():
        for address in listener.addresses:
            try:
                made.take(listener, address)
            except StartError as error:
                problems += error.messages
            except OSError as error:
                problems.append(_explain(listener, address, error))
                if error.errno in {errno.EMFILE, errno.ENFILE}:
                    made.drop()
                    raise StartError(*problems) from None  # the others would say the same
    if not problems:
        try:
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
    for place, bound in held.items():
        if place not in made.places:
            release(bound)
    return made.places


def release(bound: Bound) -> None:
    """Close our copies of an address's sockets; the path of a unix socket goes with them."""
    if isinstance(bound.address, Unix):
        with contextlib.suppress(OSError):
            os.unlink(bound.address.path)
    bound.close()


def _place(listener: Listener, address: Address) -> Place:
    if isinstance(address, Inet) and address.port == 0:
        return listener.protocol, address, listener.name
    return listener.protocol, address, ""


def _explain(listener: Listener, address: Address, error: OSError) -> str:
    """One clear line for a socket that could not be had."""
    what = f"cannot listen on {listener.protocol.value} {address} (listeners.{listener.name})"
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return f"{what}: {os.strerror(error.errno).lower()}; each worker has a socket for each address (ulimit -n)"
    if error.errno == errno.EADDRINUSE and isinstance(address, Unix) and not listening.is_socket(address.path):
        return f"{what}: a file that is not a socket has this path"
    if error.errno == errno.EADDRINUSE:
        return f"{what}: the address is in use{who_holds(listener.protocol, address)}"
    if error.errno == errno.EACCES and isinstance(address, Inet):
        return f"{what}: ports below 1024 need root or CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{what}: this machine has no such address"
    return f"{what}: {(error.strerror or str(error)).lower()}"
