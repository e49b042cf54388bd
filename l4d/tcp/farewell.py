"""The last stage of a session that ends with a reset: what was sent arrives first, then the RST.

A server that answers and closes with unread input resets the connection. Its client must get the whole answer and
then the reset, but a reset throws away what the kernel has not sent yet. So the kernel is asked until the peer has
acknowledged all (SIOCOUTQ, tcp(7)); only then the socket is closed.
"""

import fcntl
import socket
import struct

from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind
from l4d.linux import options
from l4d.linux.sockets import Socket
from l4d.session.session import Session
from l4d.session.transfer import record_of
from l4d.tcp.service import FAREWELL_LOOKS, TcpService
from l4d.terms import End

LOOKS = 5
"""So many looks are made before they become rarer."""


class Farewell:
    """A socket on its way out. The session is over when the socket is closed."""

    __slots__ = ("_end", "_looks", "_reset", "_session", "_sock", "_tcp", "_unsent", "_until")

    def __init__(self, tcp: TcpService, session: Session, sock: Socket, end: End, *, reset: bool) -> None:
        """*sock* is out of the epoll set; with *reset* it is closed by RST, else by FIN."""
        self._tcp = tcp
        self._session = session
        self._sock = sock
        self._end = end
        self._reset = reset
        self._looks = 0
        self._unsent = -1
        self._until = 0.0

    def look(self) -> None:
        """Close if the peer has everything, or takes nothing for half_close_timeout; else look again later."""
        service = self._tcp.service
        now = service.loop.now
        unsent = unacknowledged(self._sock)
        if unsent != self._unsent:
            self._unsent = unsent
            self._until = now + service.listener.half_close_timeout
        if not unsent or now >= self._until:
            self._close(self._end)
            return
        rarity = min(self._looks // LOOKS, len(FAREWELL_LOOKS) - 1)
        self._looks += 1
        self._tcp.leaving[rarity].enter(self, now)

    def hand_over(self) -> Parcel:
        """Its facts, for another worker to go on with."""
        self._leave()
        session = self._session
        record = record_of(session, Kind.FAREWELL)
        record.families = [self._sock.family]
        record.end, record.reset, record.until = self._end.value, self._reset, self._until
        session.move()
        return Parcel(record, [self._sock], session.descriptors)

    def resume(self, until: float) -> None:
        """Go on where another worker's farewell has left off."""
        self._until = until
        self._unsent = unacknowledged(self._sock)
        self._tcp.leaving[0].enter(self, self._tcp.service.loop.now)

    @property
    def session(self) -> Session:
        return self._session

    @property
    def current(self) -> bool:
        return any(self in queue for queue in self._tcp.leaving)

    @property
    def phase(self) -> str:
        return "farewell"

    @property
    def silent_since(self) -> float:
        return self._until - self._tcp.service.listener.half_close_timeout

    @property
    def moved(self) -> tuple[int, int]:
        return 0, 0

    def kill(self) -> None:
        """An operator wants it ended: what has not arrived yet never will."""
        self._reset = True
        self._leave()
        self._close(End.KILLED)

    def stop(self) -> None:
        """The worker ends now."""
        self._leave()
        self._close(self._end)

    def _leave(self) -> None:
        for queue in self._tcp.leaving:
            queue.leave(self)

    def _close(self, end: End) -> None:
        if self._reset:
            options.reset_on_close(self._sock)
        self._tcp.service.loop.close(self._sock, self._sock.fileno())
        self._session.over(end)


def unacknowledged(sock: Socket) -> int:
    """How many bytes the peer has not acknowledged; 0 also when it is gone."""
    unsent: int = struct.unpack("i", fcntl.ioctl(sock, options.SIOCOUTQ, bytes(4)))[0]
    return 0 if unsent and is_gone(sock) else unsent


def is_gone(sock: Socket) -> bool:
    """Whether the connection is over already, say by the peer's reset."""
    return sock.family != socket.AF_UNIX and options.tcp_state(sock) == options.TCP_CLOSE
