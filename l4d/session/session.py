"""The facts of one session, TCP or UDP, and the one way out of it.

The phases and what may follow what:

    QUEUE <--> DIAL ---> RELAY ---> OVER
      |         | ^        |          ^
      |         | +--------+          |      back to DIAL: an early close counts as a failed dial
      +---------+---------------------+

MOVED may follow QUEUE and RELAY: the session goes on in another worker, which takes it up in the same phase.
"""

from l4d.session.service import Service
from l4d.terms import End, Word
from l4d.upstream.server import Server


class Phase(Word):
    QUEUE = "queue"
    DIAL = "dial"
    RELAY = "relay"
    OVER = "over"
    MOVED = "moved"


AFTER: dict[Phase, frozenset[Phase]] = {
    Phase.QUEUE: frozenset({Phase.DIAL, Phase.OVER, Phase.MOVED}),
    Phase.DIAL: frozenset({Phase.QUEUE, Phase.RELAY, Phase.OVER}),
    Phase.RELAY: frozenset({Phase.DIAL, Phase.OVER, Phase.MOVED}),
    Phase.OVER: frozenset(),
    Phase.MOVED: frozenset(),
}


class Session:
    """One client served. Times are monotonic seconds."""

    __slots__ = (
        "bytes_down",
        "bytes_up",
        "client",
        "connected",
        "datagrams_down",
        "datagrams_up",
        "descriptors",
        "id",
        "local",
        "phase",
        "port",
        "server",
        "service",
        "started",
        "tried",
        "tries",
    )

    def __init__(
        self, service: Service, client: object, port: int, descriptors: int, *, local: object = "", moved: bool = False
    ) -> None:
        """*client* is the socket address as the kernel gave it, *local* the one it came to, with this *port*.

        *moved*: it was another worker's.
        """
        self.service = service
        self.id = service.ids.take()
        self.client = client
        self.local = local
        self.port = port
        self.descriptors = descriptors
        self.phase = Phase.DIAL
        self.started = service.loop.now
        self.connected = 0.0
        self.server: Server | None = None  # the one that serves, once a dial was answered
        self.tried: tuple[Server, ...] = ()  # those that still are there, if it began elsewhere
        self.tries = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.datagrams_up = 0
        self.datagrams_down = 0
        service.capacity.take(descriptors)
        if moved:
            service.tally.arrived()
        else:
            service.tally.begun()

    @property
    def dialled(self) -> Server | None:
        """The server that serves it, or else the last one that was to, if it is still there."""
        if self.server is not None:
            return self.server
        return self.tried[-1] if self.tried else None

    def enter(self, phase: Phase) -> None:
        """Go on to the next phase."""
        assert phase in AFTER[self.phase], f"{phase} cannot follow {self.phase}"
        self.phase = phase

    def choose(self, avoided: tuple[Server, ...] = ()) -> Server | None:
        """The next server to dial: not tried yet, not *avoided*. It counts the session from now on (see give_back)."""
        service = self.service
        server = service.pool.choose(self.tried + avoided, service.loop.now, self.client, self.port)
        if server is not None:
            self.tried += (server,)
            self.tries += 1
        return server

    def served_by(self, server: Server) -> None:
        """*server* has answered the dial."""
        self.enter(Phase.RELAY)
        self.server = server
        self.connected = self.service.loop.now
        server.tally.row[server.tally.sessions_total] += 1

    def resume(self, server: Server) -> None:
        """*server* serves it, as it did in another worker."""
        self.enter(Phase.RELAY)
        self.server = server
        server.arrive()

    def no_longer_served(self) -> None:
        """The server closed so early that it counts as never having answered."""
        assert self.server is not None
        self.enter(Phase.DIAL)
        self.server.give_back()
        self.server = None
        self.connected = 0.0

    def move(self) -> None:
        """It goes on in another worker, which counts it from now on; its descriptors are given back later."""
        self.enter(Phase.MOVED)
        if self.server is not None:
            self.server.move()
        self.service.tally.left()

    def over(self, end: End) -> None:
        """The one way out. Every session is counted, logged and released here."""
        self.enter(Phase.OVER)
        service = self.service
        if self.server is not None:
            self.server.give_back()
        service.tally.over(end, service.loop.now - self.started)
        service.journal.over(self, end)
        service.capacity.give_back(self.descriptors)
