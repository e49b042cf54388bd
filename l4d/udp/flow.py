"""A flow: one UDP client and the server that it was given, by a connected socket of its own.

flow ----(server's port unreachable)----> refused ----(next datagram)----> flow, to another server
  |                                          |
  +--(idle, all responses seen, ...)--> over +--(idle)--> gone
"""

import socket
from typing import Protocol, TypeAlias

from l4d.linux.datagram import Ancillary
from l4d.loop.loop import IN
from l4d.session import dialling
from l4d.session.session import Session
from l4d.terms import End
from l4d.udp.service import UdpService
from l4d.upstream.server import Server

DONTWAIT = socket.MSG_DONTWAIT

BATCH = 32
"""Datagrams of one flow taken in one event at the most."""

ClientKey: TypeAlias = object
"""The client's socket address, with the packed local address where the listening socket has many."""


class Client:
    """Who sent a datagram, and how an answer reaches it."""

    __slots__ = ("key", "reply_with", "sockaddr")

    def __init__(self, key: ClientKey, sockaddr: tuple[str, int], reply_with: Ancillary) -> None:
        self.key = key
        self.sockaddr = sockaddr
        self.reply_with = reply_with


class Receiving(Protocol):
    """The listening socket's side, as a flow knows it."""

    udp: UdpService

    def reply(self, client: Client, data: memoryview) -> None:
        """Send *data* to the client from the address it wrote to. Raises OSError."""
        ...

    def begin(self, client: Client, tried: tuple[Server, ...], data: memoryview) -> None:
        """A new flow for the client, with its first datagram."""
        ...

    def forget(self, client: Client, entry: "Flow | Refused") -> None:
        """*entry* is not the client's any more."""
        ...

    def refused(self, client: Client, flow: "Flow", tried: tuple[Server, ...]) -> "Refused":
        """*flow* is over; those *tried* are to be avoided by the client's next datagram, unless it has another flow."""
        ...


class Flow:
    """Client to server and back, until it is silent for idle_timeout or has done what the listener expects."""

    __slots__ = ("_client", "_receiver", "_server", "_session", "_sock", "_tally")

    def __init__(
        self, receiver: Receiving, session: Session, client: Client, sock: socket.socket, server: Server
    ) -> None:
        """*sock* is connected to *server*."""
        self._receiver = receiver
        self._session = session
        self._client = client
        self._sock = sock
        self._server = server
        self._tally = server.tally
        session.served_by(server)
        udp = receiver.udp
        udp.service.loop.watch(sock.fileno(), IN, self.on_server)
        udp.lifetime.begin(self)

    def receive(self, data: memoryview) -> None:
        """A datagram from the client."""
        udp, session = self._receiver.udp, self._session
        tally, listener = udp.service.tally, udp.service.listener
        udp.waiting.enter(self, udp.service.loop.now)
        try:
            size = self._sock.send(data, DONTWAIT)
        except ConnectionError as error:  # told of an earlier datagram; this one was not sent
            self._unreachable(error).receive(data)
            return
        except OSError:
            tally.drop("not_sent")
            return
        session.datagrams_up += 1
        session.bytes_up += size
        row = tally.row
        row[tally.datagrams_up] += 1
        row[tally.bytes_up] += size
        row[self._tally.bytes_up] += size
        if listener.responses == 0:
            self._over(End.UDP_RESPONDED)
        elif listener.requests and session.datagrams_up == listener.requests:
            self._receiver.forget(self._client, self)  # the next one is balanced anew; answers still pass here
            udp.waiting.enter(self, udp.service.loop.now)  # and without any, this ends as idle

    def on_server(self, _mask: int) -> None:
        """Datagrams from the server, or word that its port is unreachable."""
        udp = self._receiver.udp
        buffer = udp.buffer
        udp.waiting.enter(self, udp.service.loop.now)
        for _ in range(BATCH):
            try:
                size = self._sock.recv_into(buffer, 0, DONTWAIT)
            except BlockingIOError:
                return
            except OSError as error:
                self._unreachable(error)
                return
            if not self._answer(buffer[:size]):
                return

    def _answer(self, data: memoryview) -> bool:
        """Pass one answer on; False when it was the last."""
        udp, session = self._receiver.udp, self._session
        tally = udp.service.tally
        if not session.datagrams_down:
            self._server.succeeded()
        session.datagrams_down += 1
        size = len(data)
        try:
            self._receiver.reply(self._client, data)
        except OSError:
            tally.drop("not_sent")
        else:
            session.bytes_down += size
            row = tally.row
            row[tally.datagrams_down] += 1
            row[tally.bytes_down] += size
            row[self._tally.bytes_down] += size
        expected = udp.service.listener.responses
        if expected > 0 and session.datagrams_down >= expected * session.datagrams_up:
            self._over(End.UDP_RESPONDED)
            return False
        return True

    def _unreachable(self, error: OSError) -> "Refused":
        """An ICMP error: a failed dial, and the client's next datagram goes elsewhere."""
        dialling.blame(self._session, self._server, error.errno or 0)
        refused = self._receiver.refused(self._client, self, self._session.tried)
        self._over(End.UDP_UNREACHABLE)
        return refused

    def idle(self) -> None:
        """Silent for idle_timeout: the ordinary end."""
        self._over(End.UDP_IDLE)

    def session_time_over(self) -> None:
        self._over(End.SESSION_TIME)

    def stop(self) -> None:
        """The worker ends now."""
        self._over(End.STOPPED)

    def broke(self) -> None:
        """A bug of ours was met while this flow was served: it is given up."""
        self._over(End.STOPPED)

    def _over(self, end: End) -> None:
        udp = self._receiver.udp
        udp.waiting.leave(self)
        udp.lifetime.end(self)
        self._receiver.forget(self._client, self)
        udp.service.loop.close(self._sock, self._sock.fileno())
        self._session.over(end)


class Refused:
    """In the table in the place of a flow whose server's port was unreachable."""

    __slots__ = ("_client", "_receiver", "_tried")

    def __init__(self, receiver: Receiving, client: Client, tried: tuple[Server, ...]) -> None:
        self._receiver = receiver
        self._client = client
        self._tried = tried

    def receive(self, data: memoryview) -> None:
        """The next datagram: a flow to a server that was not tried."""
        self._receiver.begin(self._client, self._tried, data)

    def idle(self) -> None:
        """Nothing more came."""
        self._receiver.forget(self._client, self)

    def stop(self) -> None:
        """The worker ends now."""
        self._receiver.forget(self._client, self)
