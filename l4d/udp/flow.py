"""A flow: one UDP client and the server that it was given, by a connected socket of its own.

flow ----(server's port unreachable)----> refused ----(next datagram)----> flow, to another server
  |                                          |
  +--(idle, all responses seen, ...)--> over +--(idle)--> gone
"""

import errno
import socket
from typing import Final, Protocol

from l4d.config.model import Listener
from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind, Record, reply_told
from l4d.linux import datagram
from l4d.linux.sockets import Socket
from l4d.loop.loop import IN
from l4d.session import dialling
from l4d.session.session import Phase, Session
from l4d.session.transfer import record_of, told
from l4d.terms import End
from l4d.udp.burst import MOST, Burst
from l4d.udp.client import Client, ClientKey, Entry
from l4d.udp.gather import Gathering
from l4d.udp.service import UdpService
from l4d.udp.table import FlowTable
from l4d.udp.train import send_train
from l4d.upstream.server import Server

DONTWAIT: Final = socket.MSG_DONTWAIT

_NOT_THE_SERVER: Final = dialling.OURS | {errno.EMSGSIZE}
"""Errors of receiving that say nothing about the server: we lack something, or the way's MTU was learnt."""


class Receiving(Protocol):
    """The listening socket's side, as a flow knows it."""

    udp: UdpService
    flows: FlowTable[ClientKey, Entry]
    bound: str
    """The address of the socket, as text."""

    def reply(self, client: Client, data: memoryview, cut: int) -> int:
        """Send *data* to the client from the address it wrote to: how many datagrams were sent. Raises OSError."""
        ...

    def begin(self, client: Client, avoided: tuple[Server, ...], data: memoryview, cut: int) -> None:
        """A new flow for the client, with its first datagram, or train."""
        ...

    def forget(self, client: Client, entry: Entry) -> None:
        """*entry* is not the client's any more."""
        ...

    def refused(self, client: Client, flow: "Flow", avoided: tuple[Server, ...]) -> Entry:
        """*flow* is over; those are to be *avoided* by the client's next datagram, unless it has another flow."""
        ...


class Flow:
    """Client to server and back, until it is silent for idle_timeout or has done what the listener expects."""

    __slots__ = (
        "_avoided",
        "_burst",
        "_client",
        "_loop",
        "_receiver",
        "_server",
        "_session",
        "_sock",
        "_tally",
        "_touch_at",
        "_trains",
    )

    def __init__(
        self,
        receiver: Receiving,
        session: Session,
        client: Client,
        sock: Socket,
        server: Server,
        avoided: tuple[Server, ...],
    ) -> None:
        """*sock* is connected to *server*; those *avoided* have refused the client before."""
        self._receiver = receiver
        self._loop = receiver.udp.service.loop
        self._session = session
        self._client = client
        self._sock = sock
        self._server = server
        self._avoided = avoided
        self._tally = server.tally
        self._burst = Burst()
        self._trains = False  # whether the server's datagrams may come as trains
        self._touch_at = 0.0

    def start(self) -> None:
        """The server has it from now on."""
        self._session.served_by(self._server)
        self._watch()
        self._receiver.udp.lifetime.begin(self)

    def _watch(self) -> None:
        self._loop.watch(self._sock.fileno(), IN, self.on_server)

    # From one worker to another

    def hand_over(self) -> Parcel:
        """Its facts, for another worker to go on with. It is of no use here any more."""
        udp, session, client = self._receiver.udp, self._session, self._client
        record = record_of(session, Kind.FLOW)
        record.families = [self._sock.family]
        record.bound = self._receiver.bound
        record.reply = reply_told(client.reply_with)
        record.heard = udp.waiting.since(self)
        record.step = udp.lifetime.step_of(self)
        record.trains = self._trains
        record.current = self._receiver.flows.get(client.key) is self
        record.avoided = told(self._avoided)
        udp.lifetime.end(self)
        self._receiver.forget(client, self)
        self._loop.forget(self._sock.fileno())
        session.move()
        return Parcel(record, [self._sock], session.descriptors)

    def resume(self, record: Record) -> None:
        """Go on where another worker's flow has left off."""
        udp = self._receiver.udp
        self._trains = record.trains
        self._watch()
        udp.waiting.resume(self, record.heard)
        udp.lifetime.resume(self, record.step, record.connected)

    @property
    def movable(self) -> bool:
        """Whether it lives, here."""
        return self._session.phase is Phase.RELAY

    @property
    def bound(self) -> str:
        return self._receiver.bound

    @property
    def client(self) -> Client:
        return self._client

    # From the client

    def receive(self, data: memoryview, cut: int) -> None:
        """A datagram from the client, or a train of them with *cut* bytes each."""
        udp, session, count = self._receiver.udp, self._session, 1
        if self._loop.now >= self._touch_at:
            self._touch()
        try:
            if cut:
                count = send_train(self._sock, data, cut, [])
            else:
                self._sock.send(data, DONTWAIT)
        except ConnectionError as error:  # told of an earlier datagram; this one was not sent
            self._unreachable(error).receive(data, cut)
            return
        except OSError:
            udp.service.tally.drop("not_sent", datagram.datagrams_in(len(data), cut))
            return
        size = len(data)
        if cut:
            self._count_lost(datagram.datagrams_in(size, cut) - count)
        session.datagrams_up += count
        session.bytes_up += size
        tally = udp.service.tally
        row = tally.row
        row[tally.datagrams_up] += count
        row[tally.bytes_up] += size
        row[self._tally.bytes_up] += size
        if not udp.gathers:
            self._look_at_requests(udp.service.listener)

    def _look_at_requests(self, listener: Listener) -> None:
        if listener.responses == 0:
            self._over(End.UDP_RESPONDED)
        elif listener.requests and self._session.datagrams_up >= listener.requests:
            self._receiver.forget(self._client, self)  # the next one is balanced anew; answers still pass here
            self._touch()  # and without any, this ends as idle

    # From the server

    def on_server(self, mask: int) -> None:
        """Datagrams from the server, or word that its port is unreachable."""
        if self._loop.now >= self._touch_at:
            self._touch()
        buffer = self._receiver.udp.buffer
        if mask == IN and self._burst.limit == 1:
            self._take_one(buffer)
        else:
            self._take_many(buffer)

    def _take_one(self, buffer: memoryview) -> None:
        """The ordinary event: one datagram."""
        cut = 0
        try:
            if self._trains:
                size, cut = self._read(buffer)
            else:
                size = self._sock.recv_into(buffer, 0, DONTWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno not in _NOT_THE_SERVER:
                self._unreachable(error)
            return
        self._burst.was_full()
        self._answer(buffer[:size], cut)

    def _take_many(self, buffer: memoryview) -> None:
        """Up to as many as the burst says; those of one size behind each other leave as a train."""
        limit = self._burst.limit if self._receiver.udp.gathers else 1
        gathering = Gathering()
        failure: OSError | None = None
        for found in range(limit):
            held = gathering.held
            try:
                size, cut = self._read(buffer[held:])
            except BlockingIOError:
                self._burst.ran_dry(found)
                break
            except OSError as error:
                failure = error if error.errno not in _NOT_THE_SERVER else None
                break
            if not cut and gathering.takes(size):
                continue
            self._answer_held(buffer, gathering)
            self._answer(buffer[held : held + size], cut)
            if self._session.phase is Phase.OVER:
                return
        else:
            self._burst.was_full()
            self._expect_trains(limit)
        self._answer_held(buffer, gathering)
        if failure is not None and self._session.phase is not Phase.OVER:
            self._unreachable(failure)

    def _read(self, buffer: memoryview) -> tuple[int, int]:
        """The size of what came, and its cut if it is a train. Raises OSError."""
        if not self._trains:
            return self._sock.recv_into(buffer, 0, DONTWAIT), 0
        size, ancillary, _flags, _address = self._sock.recvmsg_into([buffer], datagram.SPACE, DONTWAIT)
        return size, datagram.cut_of(ancillary)

    def _expect_trains(self, found: int) -> None:
        """A server that sends as much as this may send trains: from here on they are taken whole."""
        if found >= MOST and not self._trains:
            datagram.take_trains(self._sock)
            self._trains = True

    def _answer_held(self, buffer: memoryview, gathering: Gathering) -> None:
        if gathering.held:
            held, cut = gathering.release()
            self._answer(buffer[:held], cut)

    def _answer(self, data: memoryview, cut: int) -> None:
        """Pass an answer on, or a train of them."""
        udp, session = self._receiver.udp, self._session
        if not session.datagrams_down:
            dialling.measure(session, self._server, session.started)
            dialling.proven(session, self._server)
        tally = udp.service.tally
        try:
            count = self._receiver.reply(self._client, data, cut)
        except OSError:
            whole = datagram.datagrams_in(len(data), cut)
            session.datagrams_down += whole
            tally.drop("not_sent", whole)
        else:
            size = len(data)
            if cut:
                self._count_lost(datagram.datagrams_in(size, cut) - count)
            session.datagrams_down += count
            session.bytes_down += size
            row = tally.row
            row[tally.datagrams_down] += count
            row[tally.bytes_down] += size
            row[self._tally.bytes_down] += size
        expected = udp.service.listener.responses
        if expected > 0 and session.datagrams_down >= expected * session.datagrams_up:
            self._over(End.UDP_RESPONDED)

    def _count_lost(self, count: int) -> None:
        """Of a train that had to be sent one by one, so many datagrams were not."""
        if count:
            self._receiver.udp.service.tally.drop("not_sent", count)

    def _touch(self) -> None:
        """The flow was heard of: its deadline begins anew, at most once in a grain."""
        now = self._loop.now
        self._touch_at = now + self._receiver.udp.grain
        self._receiver.flows.hear(self, now)

    def _unreachable(self, error: OSError) -> Entry:
        """An ICMP error: a failed dial, and the client's next datagram goes elsewhere."""
        dialling.blame(self._session, self._server, error.errno or 0)
        refused = self._receiver.refused(self._client, self, (*self._avoided, self._server))
        self._over(End.UDP_UNREACHABLE)
        return refused

    def idle(self) -> None:
        """Silent for idle_timeout: the ordinary end."""
        self._over(End.UDP_IDLE)

    def session_time_over(self) -> None:
        self._over(End.SESSION_TIME)

    def is_served_by(self, server: Server) -> bool:
        return self._server is server

    def server_lost(self, end: End) -> None:
        """Its server went down, or was removed, and on_down is "close"."""
        self._over(end)

    @property
    def session(self) -> Session:
        return self._session

    @property
    def current(self) -> bool:
        return self.movable

    @property
    def phase(self) -> str:
        return self._session.phase.value

    @property
    def silent_since(self) -> float:
        return self._receiver.udp.waiting.since(self)

    @property
    def moved(self) -> tuple[int, int]:
        return 0, 0

    def kill(self) -> None:
        """An operator wants it ended. The client's next datagram begins another one."""
        self._over(End.KILLED)

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
        if not self._session.datagrams_down and end is not End.UDP_UNREACHABLE:
            self._server.given_up()
        self._session.over(end)
