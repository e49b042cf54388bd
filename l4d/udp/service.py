"""What all flows of one UDP listener share, whichever of its addresses they came to."""

import random
from operator import methodcaller
from typing import Protocol

from l4d.loop.deadlines import NEVER, Deadlines
from l4d.session.lifetime import Lifetime
from l4d.session.service import Service

DATAGRAM = 65536
"""More than any datagram holds: 65507 bytes over IPv4, 65527 over IPv6 (RFC 768)."""


class Idling(Protocol):
    """What the flow table holds, as its deadlines know it."""

    def idle(self) -> None: ...
    def stop(self) -> None: ...


class UdpService:
    """A UDP listener at work."""

    def __init__(self, service: Service, buffer: memoryview, chance: random.Random) -> None:
        """*buffer* is the process's own, at least DATAGRAM long."""
        self.service = service
        self.buffer = buffer
        self.lifetime = Lifetime(service.loop, service.listener.max_session_time, chance)
        self.waiting: Deadlines[Idling] = service.loop.queue(
            service.listener.idle_timeout or NEVER, methodcaller("idle")
        )

    def stop(self) -> None:
        """End every flow of this listener now. Each of them waits to become idle."""
        for entry in tuple(self.waiting):
            entry.stop()
