"""Receiving: datagrams from one listening socket, each to the flow of its client.

A socket bound to one address needs only the client's address. One bound to all asks the kernel with each datagram which
address it was sent to, and answers from there.
"""

import errno
import socket
from collections.abc import Callable
from typing import Final, TypeAlias

from l4d.access.capacity import UDP_DESCRIPTORS
from l4d.address import Inet, SockAddr
from l4d.linux import datagram
from l4d.linux.datagram import Ancillary
from l4d.linux.sockets import Socket
from l4d.loop.loop import IN
from l4d.session import dialling
from l4d.session.session import Session
from l4d.terms import End
from l4d.udp.burst import Burst
from l4d.udp.client import Client, ClientKey, Entry
from l4d.udp.flow import Flow
from l4d.udp.gather import Gathering
from l4d.udp.refused import Refused
from l4d.udp.service import UdpService
from l4d.udp.table import FlowTable
from l4d.udp.train import send_train
from l4d.upstream.server import Server

DONTWAIT: Final = socket.MSG_DONTWAIT


PassOn: TypeAlias = Callable[["Receiver", Client, memoryview, int], None]
"""Is given a client's datagram, or a train of them with a cut."""


class Receiver:
    """One listening socket and the flows of those who write to it."""

    def __init__(self, udp: UdpService, sock: socket.socket, bound: int) -> None:
        """*bound* is the most clients the table holds."""
        self.udp = udp
        self.flows: FlowTable[ClientKey, Entry] = FlowTable(bound, udp.waiting)
        self._sock = sock
        self._burst = Burst()
        self._gathering = Gathering()
        self._lost = datagram.lost_in_queue(sock)
        self._admitting = True
        self._watched = False
        self._pass_on: PassOn | None = None
        address = Inet(*sock.getsockname()[:2])
        self._port = address.port
        self._local = sock.getsockname()
        self._wildcard = address.wildcard
        self.bound = str(address)

    def watch(self) -> None:
        """Be told of datagrams."""
        if not self._watched:
            self._watched = True
            self.udp.service.loop.watch(self._sock.fileno(), IN, self.on_datagrams)

    def count_lost(self) -> None:
        """Count what the kernel has dropped since the last time, because its queue for this socket was full."""
        before, self._lost = self._lost, datagram.lost_in_queue(self._sock)
        lost = (self._lost - before) % (1 << 32)
        if lost:
            service = self.udp.service
            service.tally.row[service.tally.dropped["queue_full"]] += lost
            where = f"listeners.{service.listener.name}"
            service.log.seldom(where, f"{where}: {lost} datagrams lost, the socket's queue was full (receive_buffer)")

    def queued_at_most(self) -> int:
        """How many datagrams wait in the socket, or fewer."""
        return datagram.queued_at_most(self._sock)

    def shut(self) -> None:
        """Read no more datagrams; answers to those that were read still leave by this socket."""
        self._watched = False
        self.udp.service.loop.forget(self._sock.fileno())

    def close(self) -> None:
        """Nobody is left who writes to this address, or is answered from it."""
        self.shut()
        self.udp.service.loop.close(self._sock, self._sock.fileno())

    def admit_nobody(self) -> None:
        """Only clients that have a flow are heard from here on."""
        self._admitting = False

    def pass_on(self, call: PassOn) -> None:
        """The flows go to the next generation: *call* is given what comes from clients that have none here any more."""
        self._pass_on = call

    def on_datagrams(self, _mask: int) -> int:
        """Read up to as many as the burst says; from the second on, those of one flow and size leave as a train.

        How many they were.
        """
        udp, burst, flows, gathering = self.udp, self._burst, self.flows, self._gathering
        buffer, gathers = udp.buffer, udp.gathers
        receive, whole, space, wildcard = self._sock.recvmsg_into, [buffer], datagram.SPACE, self._wildcard
        last: Entry | None = None  # what is held is its
        count = burst.limit
        for found in range(burst.limit):
            held = gathering.held
            try:
                size, ancillary, _flags, sockaddr = receive([buffer[held:]] if held else whole, space, DONTWAIT)
            except BlockingIOError:
                burst.ran_dry(found)
                count = found
                break
            except OSError:
                continue
            cut = datagram.cut_of(ancillary) if ancillary else 0
            key: ClientKey = (sockaddr, datagram.local_bytes(ancillary)) if wildcard else sockaddr
            entry = flows.get(key)
            if gathers and entry is last and entry is not None and not cut and gathering.takes(size):
                continue
            if held:
                self._release(last)
                entry = flows.get(key)  # that may have ended the flow and begun another one
            data = buffer[held : held + size]
            if cut and not gathers:
                self._take_apart(Client(key, sockaddr, datagram.reply_from(ancillary)), data, cut)
            elif entry is None:
                self.begin(Client(key, sockaddr, datagram.reply_from(ancillary)), (), data, cut)
            else:
                entry.receive(data, cut)
            last = entry
        else:
            burst.was_full()
        if gathering.held:
            self._release(last)
        return count

    def take(self, client: Client, data: memoryview, cut: int) -> None:
        """A datagram, or a train, that a worker of the last generation has read."""
        entry = self.flows.get(client.key)
        if cut and not self.udp.gathers:
            self._take_apart(client, data, cut)
        elif entry is None:
            self.begin(client, (), data, cut)
        else:
            entry.receive(data, cut)

    def client_of(self, sockaddr: SockAddr, reply_with: Ancillary) -> Client:
        """Who is answered at *sockaddr*, with *reply_with* beside each answer."""
        key: ClientKey = (sockaddr, datagram.local_bytes(reply_with)) if self._wildcard else sockaddr
        return Client(key, sockaddr, reply_with)

    def _take_apart(self, client: Client, data: memoryview, cut: int) -> None:
        """The datagrams of a train one by one, where each counts for the end of its flow."""
        for start in range(0, len(data), cut):
            entry = self.flows.get(client.key)
            if entry is None:
                self.begin(client, (), data[start : start + cut], 0)
            else:
                entry.receive(data[start : start + cut], 0)

    def _release(self, holder: Entry | None) -> None:
        """What was gathered goes to its flow."""
        held, cut = self._gathering.release()
        if holder is not None:
            holder.receive(self.udp.buffer[:held], cut)

    def reply(self, client: Client, data: memoryview, cut: int) -> int:
        """Send *data* to the client from the address it wrote to: how many datagrams were sent. Raises OSError."""
        if cut:
            return send_train(self._sock, data, cut, client.reply_with, client.sockaddr)
        if client.reply_with:
            self._sock.sendmsg([data], client.reply_with, DONTWAIT, client.sockaddr)
        else:
            self._sock.sendto(data, DONTWAIT, client.sockaddr)
        return 1

    def begin(self, client: Client, avoided: tuple[Server, ...], data: memoryview, cut: int) -> None:
        """A new flow for the client with its first datagram or train; the servers *avoided* are the last choice."""
        service = self.udp.service
        if self._pass_on is not None:
            self._pass_on(self, client, data, cut)
            return
        if not self._admitting:
            service.tally.drop("stopping", datagram.datagrams_in(len(data), cut))
            return
        replaced = self.flows.get(client.key)
        if (self.flows.full and replaced is None) or not service.capacity.has_room(UDP_DESCRIPTORS):
            service.tally.drop("table_full", datagram.datagrams_in(len(data), cut))
            service.log.seldom("table full", f"{len(self.flows)} flows: datagrams of new clients are dropped")
            return
        session = Session(service, client.sockaddr, self._port, UDP_DESCRIPTORS, local=self._local_of(client))
        flow = self._dial(session, client, avoided)
        if isinstance(flow, End):
            reason = "no_resource" if flow is End.NO_RESOURCE else "no_server"
            service.tally.drop(reason, datagram.datagrams_in(len(data), cut))
            session.over(flow)
            return
        if replaced is not None:
            self.forget(client, replaced)
        self.flows.put(client.key, flow)
        flow.start()
        flow.receive(data, cut)

    def _local_of(self, client: Client) -> object:
        """The address that the client has written to."""
        packed = datagram.local_bytes(client.reply_with) if self._wildcard else b""
        if not packed:
            return self._local
        return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), self._port

    def forget(self, client: Client, entry: Entry) -> None:
        """*entry* is not the client's any more."""
        self.flows.remove(client.key, entry)

    def refused(self, client: Client, flow: Flow, avoided: tuple[Server, ...]) -> Entry:
        """*flow* is over; those are to be *avoided* by the client's next datagram, unless it has another flow."""
        refused = Refused(self, client, avoided)
        if self.flows.get(client.key) is flow:
            self.flows.put(client.key, refused)
            self.flows.hear(refused, self.udp.service.loop.now)
        return refused

    def _dial(self, session: Session, client: Client, avoided: tuple[Server, ...]) -> Flow | End:
        """The flow to the first server that can be dialled, or why there is none."""
        most = self.udp.service.upstream.tries
        end = End.NO_SERVER_UP
        while not most or session.tries < most:
            server = session.choose(avoided)
            if server is None:
                avoided = ()
                server = session.choose()
            if server is None:
                return End.LIMIT if self.udp.service.pool.is_crowded(session.tried) else end
            sock = self._connect(session, server)
            if not isinstance(sock, End):
                return Flow(self, session, client, sock, server, avoided)
            end = sock
        return end

    def _connect(self, session: Session, server: Server) -> Socket | End:
        """A socket connected to *server*, or why there is none."""
        service = self.udp.service
        address = server.address_for(self._port)
        try:
            sock = dialling.open_socket(service.listener, service.upstream, address)
        except OSError as error:
            number = error.errno or errno.ENOMEM
        else:
            number = sock.connect_ex(address.sockaddr)
            if not number:
                return sock
            sock.close()
        return dialling.failed(session, server, number)
