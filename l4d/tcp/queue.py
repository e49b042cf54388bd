"""The queue: sessions that wait because every server that could take them has its max_sessions.

First come, first served, for each listener in each worker; a newcomer does not pass those who wait. When a session
leaves a full server, whichever worker it was in, all workers are told, if anybody waits (Board.tell_gap). One that left
after a newcomer had looked, and before the newcomer was counted, told nobody: so a newcomer looks again.
"""

from collections.abc import Callable, Sequence

from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind
from l4d.linux.options import reset_on_close
from l4d.linux.sockets import Socket
from l4d.session.session import Phase, Session
from l4d.session.transfer import record_of, told
from l4d.tcp.service import TcpService
from l4d.tcp.waiting import has_left
from l4d.terms import End
from l4d.upstream.server import Server

GoOn = Callable[[Server], None]
"""Dials the server that was chosen when the wait was over."""


def queue(tcp: TcpService, session: Session, client: Socket, go_on: GoOn) -> bool:
    """Let *session* wait; False when the upstream's queue has no room for it."""
    if not tcp.service.pool.enter_queue(tcp.service.upstream.queue):
        return False
    Queued(tcp, session, client, go_on).start()
    return True


def advance(services: Sequence[TcpService]) -> None:
    """Whoever waits and can be taken now goes on: in the order they came, and one of each service in turn."""
    while sum(_advance_one(service) for service in services):
        pass


def _advance_one(tcp: TcpService) -> bool:
    """Whether somebody who waits has gone on. Where one cannot who may be given any server, nobody behind it can."""
    for queued in tcp.queued:
        if queued.try_again():
            return True  # and has left the queue: no look at the next one
        if not queued.choosy:
            break
    return False


class Queued:
    """A client's socket; there is no server yet."""

    __slots__ = ("_client", "_go_on", "_session", "_tcp")

    def __init__(self, tcp: TcpService, session: Session, client: Socket, go_on: GoOn) -> None:
        self._tcp = tcp
        self._session = session
        self._client = client
        self._go_on = go_on

    def start(self) -> None:
        """Wait from now on."""
        self._session.enter(Phase.QUEUE)
        self._tcp.queued.enter(self, self._tcp.service.loop.now)
        self._watch()

    def resume(self, since: float) -> None:
        """Go on with a wait that began in another worker, *since*: it goes before those who came later."""
        self._session.enter(Phase.QUEUE)
        self._tcp.service.pool.resume_queue()
        self._tcp.queued.resume(self, since)
        self._watch()

    def hand_over(self) -> Parcel:
        """Its facts, for another worker to go on with."""
        session = self._session
        record = record_of(session, Kind.QUEUED)
        record.families = [self._client.family]
        record.heard = self._tcp.queued.since(self)
        record.tried = told(session.tried)
        self._leave()
        session.move()
        return Parcel(record, [self._client], session.descriptors)

    def _watch(self) -> None:
        loop = self._tcp.service.loop
        self._tcp.just_queued.enter(self, loop.now)
        loop.watch(self._client.fileno(), 0, self.on_client)

    def try_again(self) -> bool:
        """Go on if there is a server now; False when there is none, and the wait goes on."""
        server = self._session.choose()
        if server is None:
            if self._tcp.service.pool.is_crowded(self._session.tried):
                return False
            self._give_up(End.NO_SERVER_UP)
            return True
        self._leave()
        self._session.enter(Phase.DIAL)
        self._go_on(server)
        return True

    def look_again(self) -> None:
        """Somebody may have made room while this one entered."""
        advance([self._tcp])

    @property
    def choosy(self) -> bool:
        """Whether there are servers that it has tried already."""
        return bool(self._session.tried)

    def on_client(self, mask: int) -> None:
        """Watched for its going only."""
        if has_left(self._tcp.service.loop, self._client, mask):
            self._give_up(End.CLIENT_LEFT_QUEUED)

    def wait_timed_out(self) -> None:
        """queue_timeout."""
        self._give_up(End.QUEUE_TIMEOUT)

    @property
    def session(self) -> Session:
        return self._session

    @property
    def current(self) -> bool:
        return self in self._tcp.queued

    @property
    def phase(self) -> str:
        return self._session.phase.value

    @property
    def silent_since(self) -> float:
        return self._tcp.queued.since(self)

    @property
    def moved(self) -> tuple[int, int]:
        return 0, 0

    def kill(self) -> None:
        """An operator wants it ended."""
        reset_on_close(self._client)
        self._give_up(End.KILLED)

    def stop(self) -> None:
        """The worker ends now."""
        self._give_up(End.STOPPED)

    def broke(self) -> None:
        """A bug of ours was met while this session waited: it is given up, unless it goes on already."""
        if self in self._tcp.queued:
            self._give_up(End.STOPPED)

    def _leave(self) -> None:
        self._tcp.queued.leave(self)
        self._tcp.just_queued.leave(self)
        self._tcp.service.pool.leave_queue()
        self._tcp.service.loop.forget(self._client.fileno())

    def _give_up(self, end: End) -> None:
        self._leave()
        self._tcp.service.loop.close(self._client, self._client.fileno())
        self._session.over(end)
