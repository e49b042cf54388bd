"""Accepting: a client from a listening socket becomes a session that is dialled for.

When the worker has no room, or the system no descriptors, all its listening sockets leave the epoll set for a
moment: the clients wait in the kernel's queue, the sessions that live go on, and nothing spins.
"""

import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Final

from l4d.access.capacity import TCP_DESCRIPTORS, Capacity
from l4d.address import Inet
from l4d.linux.options import queued_clients
from l4d.linux.sockets import accept
from l4d.log.log import Log
from l4d.loop.loop import EXCLUSIVE, IN, Loop
from l4d.session.session import Session
from l4d.tcp.dial import dial
from l4d.tcp.service import TcpService

BATCH: Final = 16
"""Clients accepted in one event at the most."""

PAUSE = 0.2
"""How long nothing is accepted when the system is out of descriptors or memory, in seconds."""

_CLIENT_LEFT = frozenset(
    {
        errno.ECONNABORTED,
        errno.EPROTO,
        errno.EPERM,  # a firewall rule
        errno.ENETDOWN,
        errno.ENOPROTOOPT,
        errno.EHOSTDOWN,
        errno.ENONET,
        errno.EHOSTUNREACH,
        errno.EOPNOTSUPP,
        errno.ENETUNREACH,
        errno.ETIMEDOUT,
    }
)
"""Errors of the new connection that accept tells (accept(2), "Error handling"): on to the next client."""

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Gate:
    """All the listening sockets of a worker, open or shut together."""

    def __init__(self, loop: Loop, capacity: Capacity, log: Log) -> None:
        self._loop = loop
        self._capacity = capacity
        self._log = log
        self._acceptors: list[Acceptor] = []
        self._surplus: list[Acceptor] = []  # those of them that are to be shed
        self._pause = loop.queue(PAUSE, Gate.open)
        self._shut = False  # for good
        self.tell_taking: Callable[[bool], None] | None = None
        """Called, if anybody wants to know, when clients are taken from here on, or for the moment are not."""

    def add(self, acceptor: "Acceptor", *, surplus: bool = False) -> None:
        """One more; *surplus*: it can be shed."""
        self._acceptors.append(acceptor)
        if surplus:
            self._surplus.append(acceptor)

    def open(self) -> None:
        """Accept from now on."""
        if self._shut:
            return
        for acceptor in self._acceptors:
            acceptor.watch()
        if self.tell_taking is not None:
            self.tell_taking(True)

    def wait_for_room(self) -> None:
        """The worker is full: accept again when a session has left."""
        self._rest()
        self._log.seldom("full", f"{self._capacity.sessions} sessions: no more are taken until one ends (max_sessions)")
        self._capacity.when_room(self.open)

    def pause(self, number: int) -> None:
        """The system refused a descriptor: accept again in a moment."""
        self._rest()
        self._log.seldom("exhausted", f"accepting clients: {os.strerror(number).lower()}; pausing")
        self._pause.enter(self, self._loop.now)

    def shut(self) -> None:
        """Take what is queued, then nothing more, and close our copies of the sockets."""
        self._shut = True
        self._forget()
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors.clear()
        self._surplus.clear()

    def shed(self) -> bool:
        """Take who is queued in what is surplus, and close our copies; False: not all can be taken now."""
        for acceptor in self._surplus:
            acceptor.take_queued()
        if any(acceptor.has_queue for acceptor in self._surplus):
            return False
        for acceptor in self._surplus:
            self._acceptors.remove(acceptor)
            acceptor.forget()
            acceptor.close()
        self._surplus.clear()
        return True

    def take_queued(self) -> None:
        """Accept all who wait in the queues now."""
        for acceptor in self._acceptors:
            acceptor.take_queued()

    def _rest(self) -> None:
        self._forget()
        if self.tell_taking is not None:
            self.tell_taking(False)

    def _forget(self) -> None:
        for acceptor in self._acceptors:
            acceptor.forget()


class Acceptor:
    """One listening socket."""

    def __init__(self, tcp: TcpService, sock: socket.socket, gate: Gate) -> None:
        self._tcp = tcp
        self._sock = sock
        self._fd = sock.fileno()
        self._family = int(sock.family)  # asked once: it makes an enum member each time
        self._gate = gate
        name = sock.getsockname()
        self._port: int = name[1] if isinstance(name, tuple) else 0
        wildcard = isinstance(name, tuple) and Inet(name[0], name[1]).wildcard
        self._local: object = None if wildcard else name  # None: each client's is asked for
        self._watched = False

    def watch(self) -> None:
        """Be told of clients."""
        if not self._watched:
            # A unix socket is one for all workers, so only one of them is woken for a client.
            mask = IN | (EXCLUSIVE if self._family == socket.AF_UNIX else 0)
            self._tcp.service.loop.watch(self._fd, mask, self.on_clients)
            self._watched = True

    def forget(self) -> None:
        if self._watched:
            self._tcp.service.loop.forget(self._fd)
            self._watched = False

    def close(self) -> None:
        self._tcp.service.loop.close(self._sock, self._fd)

    @property
    def has_queue(self) -> bool:
        """Whether a client waits."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(0))

    def take_queued(self) -> None:
        """Accept those who wait now, and not those who come meanwhile: of them there may be no end."""
        for _ in range(self._queued_at_most()):
            if not self.accept_one():
                return

    def _queued_at_most(self) -> int:
        """How many clients wait; of a unix socket it is known only how many there is room for."""
        if self._family == socket.AF_UNIX:
            return self._tcp.service.listener.backlog + 1
        return queued_clients(self._sock)

    def on_clients(self, _mask: int) -> None:
        """Clients wait: take some."""
        for _ in range(BATCH):
            if not self.accept_one():
                return

    def accept_one(self) -> bool:
        """Take one client; False when none waits, or none can be taken now."""
        service = self._tcp.service
        if not service.capacity.has_room(TCP_DESCRIPTORS):
            self._gate.wait_for_room()
            return False
        try:
            client, address = accept(self._sock, self._family)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._gate.pause(error.errno or 0)
                return False
            if error.errno in _CLIENT_LEFT:
                return True
            raise
        local = client.getsockname() if self._local is None else self._local
        dial(self._tcp, Session(service, address, self._port, TCP_DESCRIPTORS, local=local), client)
        return True
