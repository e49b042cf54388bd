"""Dialling: choose a server, dial it, try the next one when it fails.

Meanwhile the client is watched for nothing but its reset, which epoll tells unasked; what it has sent waits in the
kernel until there is somebody to send it to.

When every server has its max_sessions, the session waits in the queue (queue.py), if the upstream has one with room.
"""

import errno
import time
from typing import NamedTuple

from l4d.linux.options import reset_on_close
from l4d.linux.sockets import Socket
from l4d.loop.loop import GONE, OUT
from l4d.session import dialling
from l4d.session.session import Session
from l4d.tcp.queue import queue
from l4d.tcp.relay import Relay
from l4d.tcp.service import TcpService
from l4d.tcp.waiting import has_left
from l4d.terms import End, OnDown
from l4d.upstream.server import Server


def dial(tcp: TcpService, session: Session, client: Socket, failure: End = End.NO_SERVER_UP) -> None:
    """Find a server for *session* and relay to it, or end the session; *failure* is why, if no further one is tried."""
    Dial(tcp, session, client, failure).start()


class Attempt(NamedTuple):
    """One dial under way."""

    sock: Socket
    server: Server
    began: float  # monotonic seconds


class Dial:
    """A client's socket, and the attempt that is under way."""

    __slots__ = ("_attempt", "_client", "_failure", "_session", "_tcp", "_waited")

    def __init__(self, tcp: TcpService, session: Session, client: Socket, failure: End) -> None:
        self._tcp = tcp
        self._session = session
        self._client = client
        self._attempt: Attempt | None = None
        self._failure = failure  # why there will be no session, if there is none
        self._waited = False  # whether a server has taken its time to answer, so that deadlines run

    def start(self, first: Server | None = None) -> None:
        """Dial *first*, chosen already, or whoever is chosen now."""
        if first is None or not self._try(first):
            self._try_next()

    def _try_next(self) -> None:
        """Dial one server after the other until one answers or takes its time, or none is left."""
        tcp, session = self._tcp, self._session
        if tcp.queued and not session.tried and any(not other.choosy for other in tcp.queued):
            self._queue()  # not past those who wait already
            return
        most = tcp.service.upstream.tries
        while not most or session.tries < most:
            server = session.choose()
            if server is None:
                self._wait_or_give_up()
                return
            if self._try(server):
                return
        self._give_up(self._failure)

    def _try(self, server: Server) -> bool:
        """Begin to dial *server*; False when that has failed at once."""
        service = self._tcp.service
        address = server.address_for(self._session.port)
        try:
            sock = dialling.open_socket(service.listener, service.upstream, address)
        except OSError as error:
            self._failure = dialling.failed(self._session, server, error.errno or errno.ENOMEM)
            return False
        began = time.monotonic()
        number = dialling.connect(sock, address, server)
        if number not in {0, errno.EINPROGRESS}:
            sock.close()
            self._failure = dialling.failed(self._session, server, number)
            return False
        if number == 0:
            self._answered(sock, server, began)
        else:
            self._attempt = Attempt(sock, server, began)
            self._wait(sock)
        return True

    def _wait(self, sock: Socket) -> None:
        """For the answer to an attempt, and with the first one also for the client to leave."""
        tcp, loop = self._tcp, self._tcp.service.loop
        loop.watch(sock.fileno(), OUT, self.on_server)
        tcp.connect.enter(self, loop.now)
        if not self._waited:
            self._waited = True
            tcp.tries.enter(self, loop.now)
            loop.watch(self._client.fileno(), 0, self.on_client)

    def on_server(self, mask: int) -> None:
        """The attempt has been answered, one way or the other."""
        assert self._attempt is not None
        attempt = self._attempt
        number = dialling.failure(attempt.sock) if mask & GONE else 0
        if number:
            self._drop_attempt()
            self._failure = dialling.failed(self._session, attempt.server, number)
            self._try_next()
        elif attempt.server.lost is not None and self._tcp.service.upstream.on_down is OnDown.CLOSE:  # since the choice
            self._pass_over(attempt.server)
        else:
            self._answered(*attempt)

    def _answered(self, sock: Socket, server: Server, began: float) -> None:
        dialling.measure(self._session, server, began)
        if not self._tcp.service.upstream.early_close:
            dialling.proven(self._session, server)
        self._let_go()
        self._session.served_by(server)
        Relay(self._tcp, self._session, self._client, sock, server, self._redial).start()

    def _pass_over(self, server: Server) -> None:
        """The server has answered, but must not be used any more."""
        self._drop_attempt()
        server.let_go()
        self._failure = End.NO_SERVER_UP
        self._try_next()

    def _redial(self, client: Socket) -> None:
        dial(self._tcp, self._session, client, End.NO_SERVER_ACCEPTED)

    def on_client(self, mask: int) -> None:
        """Watched for its going only: reset, or a unix client that has closed."""
        if has_left(self._tcp.service.loop, self._client, mask):
            self._give_up(End.CLIENT_LEFT_CONNECTING)

    def try_timed_out(self) -> None:
        """connect_timeout: on to the next server."""
        assert self._attempt is not None
        server = self._attempt.server
        self._drop_attempt()
        self._failure = dialling.failed(self._session, server, errno.ETIMEDOUT)
        self._try_next()

    def tries_timed_out(self) -> None:
        """tries_timeout: no further server is tried. The one being dialled may have had no time to answer."""
        self._give_up(End.CONNECT_TIMEOUT)

    @property
    def session(self) -> Session:
        return self._session

    @property
    def current(self) -> bool:
        return self in self._tcp.tries

    @property
    def phase(self) -> str:
        return self._session.phase.value

    @property
    def silent_since(self) -> float:
        return self._tcp.tries.since(self)

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
        """A bug of ours was met while this session was served: it is given up."""
        self._give_up(End.STOPPED)

    def _wait_or_give_up(self) -> None:
        """Nobody can take the session now: wait in the queue, if it is only that all have enough to do."""
        if self._tcp.service.pool.is_crowded(self._session.tried):
            self._queue()
        else:
            self._give_up(self._failure)

    def _queue(self) -> None:
        self._stop_watching()
        queued = queue(self._tcp, self._session, self._client, self._go_on)
        if not queued:
            self._give_up(End.LIMIT)

    def _go_on(self, server: Server) -> None:
        """The wait in the queue is over: *server* has been chosen."""
        Dial(self._tcp, self._session, self._client, End.NO_SERVER_UP).start(server)

    def _stop_watching(self) -> None:
        self._let_go()
        if self._waited:
            self._waited = False
            self._tcp.service.loop.forget(self._client.fileno())

    def _give_up(self, end: End) -> None:
        if self._attempt is not None:
            server = self._attempt.server
            self._drop_attempt()
            server.let_go()
        self._let_go()
        self._tcp.service.loop.close(self._client, self._client.fileno())
        self._session.over(end)

    def _drop_attempt(self) -> None:
        if self._attempt is not None:
            sock = self._attempt.sock
            self._attempt = None
            self._tcp.service.loop.close(sock, sock.fileno())
            self._tcp.connect.leave(self)

    def _let_go(self) -> None:
        if self._waited:
            self._tcp.connect.leave(self)
            self._tcp.tries.leave(self)
