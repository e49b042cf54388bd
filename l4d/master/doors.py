"""The doors: the sockets at which the admin API answers, held over reloads as listening sockets are.

A door that the next configuration has as well stays the same socket with the same queue: whoever knocks while one
control process leaves and the next one begins is answered by the next one. One whose file somebody has removed is made
anew at the next reload. They need no second socket for another worker, so each has its address alone (no SO_REUSEPORT),
and a lock that tells a second l4d whose it is.
"""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from l4d.address import Address, Unix, from_sockaddr
from l4d.config.model import Admin
from l4d.errors import StartError
from l4d.linux import listening
from l4d.master import instance
from l4d.master.opening import explain
from l4d.terms import Protocol


@dataclass(eq=False, slots=True)
class Door:
    """One of them as the master holds it."""

    address: Address  # as the kernel has it: with the real port
    lock: socket.socket
    sock: socket.socket
    mode: int  # of a unix socket's file, as far as we have set it

    def change_mode(self, mode: int) -> None:
        """Let others use it than before. Who has changed it by hand is not overruled as long as ours is the same."""
        if isinstance(self.address, Unix) and mode != self.mode and listening.is_socket(self.address.path):
            with contextlib.suppress(OSError):  # it has just gone, and nobody can use it
                os.chmod(self.address.path, mode)
        self.mode = mode

    @property
    def lost(self) -> bool:
        """Whether its file has been removed, so that nobody can find it any more."""
        return isinstance(self.address, Unix) and not os.path.lexists(self.address.path)

    def again(self, mode: int) -> "Door":
        """A door of the same address with a file anew. Raises OSError."""
        return Door(self.address, self.lock.dup(), listening.listen_alone(self.address, mode), mode)

    def release(self) -> None:
        """Nobody answers there any more: close our copies; the path of a unix socket goes with them."""
        listening.remove_path(self.address)
        self.close()

    def close(self) -> None:
        """Close our copies; another master has its own."""
        self.sock.close()
        self.lock.close()


class Doors:
    """Those of one configuration, some held before and some new, by their address in the file."""

    def __init__(self, admin: Admin, held: Mapping[Address, Door]) -> None:
        """Open what is missing. Raises StartError with all that failed, and leaves nothing open then."""
        self._mode = admin.socket_mode
        self._new: dict[Address, Door] = {}
        self.places: dict[Address, Door] = {}
        problems: list[str] = []
        for address in admin.addresses:
            try:
                if address not in held:
                    self._new[address] = _open(address, admin.socket_mode)
                elif held[address].lost:
                    self._new[address] = held[address].again(admin.socket_mode)
                self.places[address] = self._new.get(address) or held[address]
            except StartError as error:
                problems += error.messages
            except OSError as error:
                problems.append(explain(Protocol.TCP, address, _key(address), error))
        if problems:
            self.drop()
            raise StartError(*problems)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        return tuple(door.sock for door in self.places.values())

    def opened(self) -> Iterator[str]:
        """What the log says of the new ones."""
        for door in self._new.values():
            unix = isinstance(door.address, Unix)
            yield f"admin API on {door.address}" if unix else f"admin API on tcp {door.address}, read only"

    def settle(self, held: Mapping[Address, Door]) -> dict[Address, Door]:
        """This is the present: modes are set, and doors that are not needed any more are closed."""
        for door in self.places.values():
            door.change_mode(self._mode)
        for address, door in held.items():
            if address not in self.places:
                door.release()
            elif self.places[address] is not door:
                door.close()
        return self.places

    def drop(self) -> None:
        """Close what was opened here; what was there before stays as it was."""
        for door in self._new.values():
            door.release()


def _open(address: Address, mode: int) -> Door:
    """Raises OSError or StartError."""
    if isinstance(address, Unix) or address.port:
        lock = instance.lock(Protocol.TCP, address)
        try:
            sock = listening.listen_alone(address, mode)
        except BaseException:
            lock.close()
            raise
        return Door(address, lock, sock, mode)
    sock = listening.listen_alone(address, mode)
    try:
        real = from_sockaddr(sock.getsockname())
        return Door(real, instance.lock(Protocol.TCP, real), sock, mode)
    except BaseException:
        sock.close()
        raise


def _key(address: Address) -> str:
    return "admin.socket" if isinstance(address, Unix) else "admin.listen"
