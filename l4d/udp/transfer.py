"""The flows of a UDP listener on their way to another worker, and from one."""

from collections.abc import Iterator, Mapping

from l4d.access.capacity import UDP_DESCRIPTORS
from l4d.handover.parcel import Parcel
from l4d.handover.record import Json, Kind, Record, RecordError, inet_understood, reply_told, reply_understood
from l4d.session.transfer import Find, found, session_of
from l4d.udp.client import Client, Entry
from l4d.udp.flow import Flow
from l4d.udp.receive import Receiver
from l4d.udp.refused import Refused
from l4d.udp.service import UdpService
from l4d.upstream.server import Server


def movable(udp: UdpService) -> Iterator[Entry]:
    """All there is; the iterator is good until one of them is moved."""
    return iter(udp.waiting)


def adopt(receiver: Receiver, parcel: Parcel, server: Server | None, find: Find) -> Flow | Refused:
    """Go on with the flow of *parcel*, which *server* serves. Raises RecordError, and nothing is taken then."""
    record = parcel.record
    client = receiver.client_of(inet_understood(record.client), reply_understood(record.reply))
    avoided = found(record.avoided, find)
    if record.kind == Kind.REFUSED.value:
        return _adopt_refused(receiver, record, Refused(receiver, client, avoided))
    if record.kind != Kind.FLOW.value or len(parcel.sockets) != 1 or server is None:
        raise RecordError("a flow has a socket and a server")
    session = session_of(receiver.udp.service, record, UDP_DESCRIPTORS, server)
    flow = Flow(receiver, session, client, parcel.sockets[0], server, avoided)
    flow.resume(record)
    if record.current and _has_place(receiver, client):
        receiver.flows.put(client.key, flow)
    return flow


def _adopt_refused(receiver: Receiver, record: Record, refused: Refused) -> Refused:
    if _has_place(receiver, refused.client):
        receiver.flows.put(refused.client.key, refused)
        receiver.udp.waiting.resume(refused, record.heard)
    return refused


def _has_place(receiver: Receiver, client: Client) -> bool:
    """Whether the client has no newer flow here. When the table is full, answers still pass."""
    return receiver.flows.get(client.key) is None and not receiver.flows.full


def datagram_told(receiver: Receiver, client: Client, cut: int) -> Json:
    """What goes with a datagram that is passed on to another worker."""
    return {"to": receiver.bound, "client": client.sockaddr, "reply": reply_told(client.reply_with), "cut": cut}


def take(receivers: Mapping[str, Receiver], plain: Json, data: bytes) -> None:
    """Treat *data* as a datagram that the receiver has read for which another worker did. Raises RecordError."""
    try:
        receiver, cut = receivers.get(plain["to"]), plain["cut"]
        sockaddr, reply_with = inet_understood(plain["client"]), reply_understood(plain["reply"])
    except (KeyError, TypeError):
        raise RecordError("a datagram is not of a kind that is known") from None
    if type(cut) is not int or not 0 <= cut <= len(data):
        raise RecordError("a train is not cut so")
    if receiver is not None:
        receiver.take(receiver.client_of(sockaddr, reply_with), memoryview(data), cut)
