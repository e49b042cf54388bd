"""What serves the listeners of one worker, those of the file, and those that are gone and have sessions left."""

import random
from collections.abc import Sequence
from itertools import chain

from l4d.access.capacity import Capacity
from l4d.address import from_text
from l4d.config.model import Listener, Upstream
from l4d.handover.parcel import Parcel
from l4d.handover.record import RecordError
from l4d.handover.settings import gone_upstream
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.movers.machinery import Machinery
from l4d.session.ids import Ids
from l4d.session.service import Service
from l4d.session.session import Session
from l4d.session.stage import Stage
from l4d.session.transfer import identity
from l4d.stats import catalogue
from l4d.stats.failures import SharedFailures
from l4d.stats.tally import ListenerTally, ServerTally
from l4d.tcp import transfer as tcp_transfer
from l4d.tcp.accept import Acceptor, Gate
from l4d.tcp.relay import Relay
from l4d.tcp.service import TcpService
from l4d.terms import OnDown, Protocol
from l4d.udp import transfer as udp_transfer
from l4d.udp.flow import Flow
from l4d.udp.receive import Receiver
from l4d.udp.refused import Refused
from l4d.udp.service import UdpService, make_buffer
from l4d.upstream.server import Server
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.journals import Journals
from l4d.worker.upstreams import Upstreams
from l4d.worker.warrants import Warrants


class Services:
    """The services by listener, and the receivers of UDP by the address they are bound to."""

    def __init__(
        self,
        assignment: WorkerAssignment,
        loop: Loop,
        log: Log,
        capacity: Capacity,
        machinery: Machinery,
        chance: random.Random,
    ) -> None:
        self._assignment = assignment
        self._row = assignment.board.row(assignment.row)
        self._loop = loop
        self._log = log
        self._capacity = capacity
        self._machinery = machinery
        self._chance = chance
        self._datagrams = make_buffer()
        self._ids = Ids()
        place = assignment.slot, assignment.generation
        self.journals = Journals(assignment.config, place, assignment.access, loop, log, self._lost)
        self._gone: dict[tuple[str, str, str], Server] = {}
        self.warrants = Warrants(loop)
        self.upstreams = Upstreams(assignment, loop, chance)
        self.gate = Gate(loop, capacity, log)
        self.tcp: dict[str, TcpService] = {}
        self.udp: dict[str, UdpService] = {}
        self.receivers: dict[str, Receiver] = {}
        self._reading = False
        self._leftover = dict(assignment.retired)  # sockets of addresses that are gone, and have no receiver yet
        self._gone_receivers: list[Receiver] = []
        self.retired: set[tuple[Protocol, str]] = set()
        """The listeners that the file no longer has. It may have one of the same name, for the other protocol."""
        for listener in assignment.config.listeners.values():
            self._open(listener)
            self._take_leftover(listener.name)

    @property
    def all(self) -> list[TcpService | UdpService]:
        return [*self.tcp.values(), *self.udp.values()]

    def protocol(self, listener: str) -> Protocol | None:
        """That of a listener of the file; None: it has none of that name."""
        found = self._assignment.config.listeners.get(listener)
        return found.protocol if found is not None else None

    def ports(self, listener: str) -> set[int]:
        """The ports at which a listener of the file is reached; a unix socket has none."""
        names = [sock.getsockname() for sock in self._assignment.sockets[listener]]
        return {name[1] for name in names if isinstance(name, tuple)}

    def _open(self, listener: Listener) -> None:
        """Serve a listener of the file at its sockets."""
        sockets = self._assignment.sockets[listener.name]
        if listener.protocol is Protocol.TCP:
            tcp = self._serve_tcp(listener)
            for sock in sockets:
                self.gate.add(Acceptor(tcp, sock, self.gate))
            for sock in self._assignment.surplus[listener.name]:
                self.gate.add(Acceptor(tcp, sock, self.gate), surplus=True)
        else:
            udp = self._serve_udp(listener)
            for sock in sockets:
                self._receive(Receiver(udp, sock, self._capacity.most))

    def retire(self, listener: Listener) -> None:
        """Have a service for sessions of a listener that the file no longer has; and for its addresses, if it has."""
        services = self.tcp if listener.protocol is Protocol.TCP else self.udp
        if listener.name not in services:
            try:
                self._serve(listener)
            except LookupError as error:
                raise RecordError(f"listeners.{listener.name}: {error}") from None
            self.retired.add((listener.protocol, listener.name))
        self._take_leftover(listener.name)

    def _take_leftover(self, name: str) -> None:
        """Serve the flows, and only those, of UDP addresses that the listener had."""
        udp = self.udp.get(name)
        if udp is not None:
            for sock in self._leftover.pop(name, ()):
                receiver = Receiver(udp, sock, self._capacity.most)
                receiver.admit_nobody()
                self._gone_receivers.append(receiver)
                self._receive(receiver)

    def vacate(self) -> bool:
        """Close the sockets of addresses that are gone when no flow is left there; whether none is open any more."""
        alive = {entry.bound for udp in self.udp.values() for entry in udp_transfer.movable(udp)}
        for receiver in [one for one in self._gone_receivers if one.bound not in alive]:
            self._gone_receivers.remove(receiver)
            del self.receivers[receiver.bound]
            receiver.close()
        for sock in chain.from_iterable(self._leftover.values()):
            sock.close()
        self._leftover.clear()
        return not self._gone_receivers

    def read_datagrams(self) -> None:
        """The UDP sockets are ours to read from here on."""
        self._reading = True
        for receiver in self.receivers.values():
            receiver.watch()

    def _serve(self, listener: Listener) -> None:
        """Raises LookupError: it has no columns."""
        if listener.protocol is Protocol.TCP:
            self._serve_tcp(listener)
        else:
            self._serve_udp(listener)

    def _serve_tcp(self, listener: Listener) -> TcpService:
        tcp = self.tcp[listener.name] = TcpService(self._service(listener), self._machinery, self._chance)
        self.upstreams.add(tcp)
        return tcp

    def _serve_udp(self, listener: Listener) -> UdpService:
        udp = self.udp[listener.name] = UdpService(self._service(listener), self._datagrams, self._chance)
        self.upstreams.add(udp)
        return udp

    def _service(self, listener: Listener) -> Service:
        upstream = self._upstream(listener.upstream)
        return Service(
            listener,
            upstream,
            self.upstreams.pool(upstream),
            self._loop,
            self._log,
            ListenerTally(self._row, self._assignment.columns, listener.name),
            self._capacity,
            self._ids,
            self.journals.of(listener, upstream),
            self._assignment.slot,
            self._assignment.generation,
        )

    def _lost(self, lines: int) -> None:
        """So many lines of an access log are not written."""
        self._row[self._assignment.columns.of(catalogue.LOG_LINES_DROPPED)] += lines

    def _upstream(self, name: str) -> Upstream:
        return self._assignment.config.upstreams.get(name) or gone_upstream(name)

    def _receive(self, receiver: Receiver) -> None:
        self.receivers[receiver.bound] = receiver
        if self._reading:
            receiver.watch()

    # Sessions of other workers

    def adopt(self, parcel: Parcel) -> object:
        """Go on with a session of another worker: what it is now. Raises RecordError, and nothing is taken then."""
        adopted = self._adopt(parcel)
        if isinstance(adopted, (Relay, Flow)) and self._goes_with_server(adopted.session):
            self.warrants.orphan(adopted)
        elif not isinstance(adopted, Refused):
            self.warrants.look(adopted)
        return adopted

    def _goes_with_server(self, session: Session) -> bool:
        """Whether the session's server went down, or is there no more, and takes its sessions with it."""
        server = session.server
        if server is None or server.lost is None or not self.upstreams.uses(server.upstream):
            return False
        return self._upstream(server.upstream).on_down is OnDown.CLOSE

    def _adopt(self, parcel: Parcel) -> Stage | Refused:
        record = parcel.record
        server = self._server(record.server) if record.server else None
        if record.bound:
            receiver = self.receivers.get(record.bound)
            if receiver is None:
                raise RecordError(f"nobody here listens on {record.bound:.60}")
            return udp_transfer.adopt(receiver, parcel, server, self.find)
        tcp = self.tcp.get(record.listener)
        if tcp is None:
            raise RecordError(f"there is no listener {record.listener!r:.60}")
        return tcp_transfer.adopt(tcp, parcel, server, self.find)

    def is_retired(self, parcel: Parcel) -> bool:
        """Whether the file no longer has its listener, its upstream or its server."""
        record = parcel.record
        protocol = Protocol.UDP if record.bound else Protocol.TCP
        return (protocol, record.listener) in self.retired or self._is_gone(record.server)

    def has_retired(self, session: Session) -> bool:
        """The same, of a session that lives here."""
        listener, server = session.service.listener, session.server
        gone = server is not None and self._is_gone(identity(server))
        return gone or (listener.protocol, listener.name) in self.retired

    def _is_gone(self, server: Sequence[str]) -> bool:
        """Whether it is one of whom only sessions are left here."""
        return tuple(server) in self._gone

    def find(self, identity: Sequence[str]) -> Server | None:
        """The server of this identity, if the file still has it."""
        upstream, name, address = identity
        return self.upstreams.find(upstream, name, address)

    def _server(self, identity: Sequence[str]) -> Server:
        """The server of this identity, whether or not the file still has it. Raises RecordError."""
        try:
            upstream, name, address = identity
        except ValueError:
            raise RecordError("a server is known by three words") from None
        server = self.upstreams.find(upstream, name, address) or self._gone.get((upstream, name, address))
        if server is None:
            server = self._gone[upstream, name, address] = self._make_gone(upstream, name, address)
        return server

    def _make_gone(self, upstream: str, name: str, address: str) -> Server:
        """A server for the sessions that it has, and no others."""
        assignment = self._assignment
        try:
            place = from_text(address)
            tally = ServerTally(self._row, assignment.columns, upstream, name)
        except (ValueError, LookupError) as error:
            raise RecordError(f"server {upstream}/{name} at {address!r:.60}: {error}") from None
        failures = SharedFailures(assignment.board, tally)
        config = self._upstream(upstream)
        server = Server(config, name, place, failures, tally, assignment.board, named=False)
        server.leaving = True
        return server
