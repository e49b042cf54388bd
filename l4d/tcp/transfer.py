"""The sessions of a TCP listener on their way to another worker, and from one.

A dial stays where it is: it is over soon, and what becomes of it moves then.
"""

from collections.abc import Iterator
from itertools import chain

from l4d.access.capacity import TCP_DESCRIPTORS
from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind, RecordError
from l4d.linux.sockets import Socket
from l4d.session.transfer import Find, found, session_of
from l4d.tcp.dial import Dial, dial
from l4d.tcp.farewell import Farewell
from l4d.tcp.queue import Queued
from l4d.tcp.relay import Relay
from l4d.tcp.service import Movable, TcpService
from l4d.terms import End
from l4d.upstream.server import Server


def movable(tcp: TcpService, *, queued: bool) -> Iterator[Movable]:
    """The sessions that can be moved now, the longest silent first; with *queued* also those in the queue, in order.

    The iterator is good until one of them is moved.
    """
    return chain(tcp.queued if queued else (), tcp.idle, tcp.half_close, *tcp.leaving)


def adopt(tcp: TcpService, parcel: Parcel, server: Server | None, find: Find) -> Relay | Queued | Farewell:
    """Go on with the session of *parcel*, which *server* serves. Raises RecordError, and nothing is taken then."""
    kind = parcel.record.kind
    if kind == Kind.RELAY.value:
        return _adopt_relay(tcp, parcel, server, find)
    if kind == Kind.QUEUED.value:
        return _adopt_queued(tcp, parcel, find)
    if kind == Kind.FAREWELL.value:
        return _adopt_farewell(tcp, parcel, server)
    raise RecordError(f"no stage of a TCP session is called {kind!r:.40}")


def _adopt_relay(tcp: TcpService, parcel: Parcel, server: Server | None, find: Find) -> Relay:
    if server is None or len(parcel.sockets) != 2:
        raise RecordError("a relay has two sockets and a server")
    if parcel.record.end:
        _end(parcel.record.end)
    session = session_of(tcp.service, parcel.record, TCP_DESCRIPTORS, server)
    session.tried = found(parcel.record.tried, find)
    client, server_sock = parcel.sockets

    def redial(client: Socket) -> None:
        dial(tcp, session, client, End.NO_SERVER_ACCEPTED)

    relay = Relay(tcp, session, client, server_sock, server, redial)
    relay.resume(parcel)
    return relay


def _adopt_queued(tcp: TcpService, parcel: Parcel, find: Find) -> Queued:
    [client] = _sockets(parcel)
    session = session_of(tcp.service, parcel.record, TCP_DESCRIPTORS, None)
    session.tried = found(parcel.record.tried, find)

    def go_on(server: Server) -> None:
        Dial(tcp, session, client, End.NO_SERVER_UP).start(server)

    queued = Queued(tcp, session, client, go_on)
    queued.resume(parcel.record.heard)
    return queued


def _adopt_farewell(tcp: TcpService, parcel: Parcel, server: Server | None) -> Farewell:
    record = parcel.record
    [sock] = _sockets(parcel)
    end = _end(record.end)
    session = session_of(tcp.service, record, TCP_DESCRIPTORS, server)
    farewell = Farewell(tcp, session, sock, end, reset=record.reset)
    farewell.resume(record.until)
    return farewell


def _sockets(parcel: Parcel) -> list[Socket]:
    if len(parcel.sockets) != 1:
        raise RecordError("one socket is left of such a session")
    return parcel.sockets


def _end(letters: str) -> End:
    try:
        return End(letters)
    except ValueError:
        raise RecordError(f"no end is called {letters!r:.10}") from None
