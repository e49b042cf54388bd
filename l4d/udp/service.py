"""What all flows of one UDP listener share, whichever of its addresses they came to."""

import random
from collections.abc import Iterator
from operator import methodcaller

from l4d.linux.datagram import TRAIN_BYTES
from l4d.loop.deadlines import Deadlines
from l4d.session.grain import grain
from l4d.session.lifetime import Lifetime
from l4d.session.service import Service
from l4d.udp.client import Entry
from l4d.upstream.server import Server

DATAGRAM = 65536
"""More than any datagram, or train of them, holds: 65507 bytes over IPv4, 65527 over IPv6 (RFC 768)."""

BUFFER = TRAIN_BYTES + DATAGRAM
"""Room for a train being gathered, and the next datagram behind it."""


class UdpService:
    """A UDP listener at work."""

    def __init__(self, service: Service, buffer: memoryview, chance: random.Random) -> None:
        """*buffer* is the process's own, at least BUFFER long."""
        listener = service.listener
        self.service = service
        self.buffer = buffer
        # Where single datagrams are counted for a flow's end, they are not gathered.
        self.gathers = listener.responses < 0 and not listener.requests
        self.lifetime = Lifetime(service.loop, listener.max_session_time, chance)
        self.grain = grain(listener.idle_timeout)
        self.waiting: Deadlines[Entry] = service.loop.queue(listener.idle_timeout + self.grain, methodcaller("idle"))

    def served_by(self, server: Server) -> Iterator[Entry]:
        """Every flow to *server*."""
        return (entry for entry in tuple(self.waiting) if entry.is_served_by(server))

    def stop(self) -> None:
        """End every flow of this listener now. Each of them waits to become idle."""
        for entry in tuple(self.waiting):
            entry.stop()


def make_buffer() -> memoryview:
    """The one buffer of a process for datagrams."""
    return memoryview(bytearray(BUFFER))
