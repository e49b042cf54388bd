"""Dialling: choose a server, dial it, try the next one when it fails.

Meanwhile the client is watched for nothing but its reset, which epoll tells unasked; what it has sent waits in the
kernel until there is somebody to send it to.
"""

import errno
import socket

from l4d.linux.sockets import Socket
from l4d.loop.loop import GONE, OUT
from l4d.session import dialling
from l4d.session.session import Session
from l4d.tcp.relay import Relay
from l4d.tcp.service import TcpService
from l4d.terms import End
from l4d.upstream.server import Server


def dial(tcp: TcpService, session: Session, client: Socket, failure: End = End.NO_SERVER_UP) -> None:
    """Find a server for *session* and relay to it, or end the session; *failure* is why, if no further one is tried."""
    Dial(tcp, session, client, failure).start()


class Dial:
    """A client's socket, and the attempt that is under way."""

    __slots__ = ("_attempt", "_client", "_failure", "_session", "_tcp", "_waited")

    def __init__(self, tcp: TcpService, session: Session, client: Socket, failure: End) -> None:
        self._tcp = tcp
        self._session = session
        self._client = client
        self._attempt: tuple[Socket, Server] | None = None
        self._failure = failure  # why there will be no session, if there is none
        self._waited = False  # whether a server has taken its time to answer, so that deadlines run

    def start(self) -> None:
        self._try_next()

    def _try_next(self) -> None:
        """Dial one server after the other until one answers or takes its time, or none is left."""
        service, session = self._tcp.service, self._session
        most = service.upstream.tries or len(service.pool.servers)
        while len(session.tried) < most:
            server = service.pool.choose(session.tried, service.loop.now)
            if server is None:
                break
            session.tried += (server,)
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
        number = dialling.connect(sock, address, server)
        if number not in {0, errno.EINPROGRESS}:
            sock.close()
            self._failure = dialling.failed(self._session, server, number)
            return False
        self._attempt = sock, server
        if number == 0:
            self._answered(sock, server)
        else:
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
        sock, server = self._attempt
        number = dialling.failure(sock) if mask & GONE else 0
        if number:
            self._drop_attempt()
            self._failure = dialling.failed(self._session, server, number)
            self._try_next()
        else:
            self._answered(sock, server)

    def _answered(self, sock: Socket, server: Server) -> None:
        server.succeeded()
        self._let_go()
        self._session.served_by(server)
        Relay(self._tcp, self._session, self._client, sock, server, self._redial).start()

    def _redial(self, client: Socket) -> None:
        dial(self._tcp, self._session, client, End.NO_SERVER_ACCEPTED)

    def on_client(self, mask: int) -> None:
        """Watched for its going only: reset, or a unix client that has closed.

        Anything else is an event of the batch in which a relay has become this dial again.
        """
        if not mask & GONE:
            return
        if self._client.family == socket.AF_UNIX and _has_input(self._client):
            self._tcp.service.loop.forget(self._client.fileno())  # what it sent before is still to be delivered
        else:
            self._give_up(End.CLIENT_LEFT_CONNECTING)

    def try_timed_out(self) -> None:
        """connect_timeout: on to the next server."""
        assert self._attempt is not None
        server = self._attempt[1]
        self._drop_attempt()
        self._failure = dialling.failed(self._session, server, errno.ETIMEDOUT)
        self._try_next()

    def tries_timed_out(self) -> None:
        """tries_timeout: no further server is tried. The one being dialled may have had no time to answer."""
        self._give_up(End.CONNECT_TIMEOUT)

    def stop(self) -> None:
        """The worker ends now."""
        self._give_up(End.STOPPED)

    def broke(self) -> None:
        """A bug of ours was met while this session was served: it is given up."""
        self._give_up(End.STOPPED)

    def _give_up(self, end: End) -> None:
        self._drop_attempt()
        self._let_go()
        self._tcp.service.loop.close(self._client, self._client.fileno())
        self._session.over(end)

    def _drop_attempt(self) -> None:
        if self._attempt is not None:
            sock, _server = self._attempt
            self._attempt = None
            self._tcp.service.loop.close(sock, sock.fileno())
            self._tcp.connect.leave(self)

    def _let_go(self) -> None:
        if self._waited:
            self._tcp.connect.leave(self)
            self._tcp.tries.leave(self)


def _has_input(sock: Socket) -> bool:
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False
