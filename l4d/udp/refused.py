"""A client whose server refuses it, until it sends the next datagram."""

from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind, Record, reply_told
from l4d.session.transfer import told
from l4d.terms import End
from l4d.udp.client import Client
from l4d.udp.flow import Receiving
from l4d.upstream.server import Server


class Refused:
    """In the table in the place of a flow whose server's port was unreachable."""

    __slots__ = ("_avoided", "_client", "_receiver")

    def __init__(self, receiver: Receiving, client: Client, avoided: tuple[Server, ...]) -> None:
        self._receiver = receiver
        self._client = client
        self._avoided = avoided

    @property
    def movable(self) -> bool:
        return self in self._receiver.udp.waiting

    @property
    def bound(self) -> str:
        return self._receiver.bound

    @property
    def client(self) -> Client:
        return self._client

    def hand_over(self) -> Parcel:
        """What another worker has to know of it."""
        receiver, client = self._receiver, self._client
        record = Record(Kind.REFUSED.value, receiver.udp.service.listener.name, client=client.sockaddr)
        record.bound, record.reply = receiver.bound, reply_told(client.reply_with)
        record.heard = receiver.udp.waiting.since(self)
        record.avoided = told(self._avoided)
        receiver.forget(client, self)
        return Parcel(record, [], 0)

    def receive(self, data: memoryview, cut: int) -> None:
        """The next datagram: a flow to a server that has not refused."""
        self._receiver.begin(self._client, self._avoided, data, cut)

    def idle(self) -> None:
        """Nothing more came."""
        self._receiver.forget(self._client, self)

    def is_served_by(self, _server: Server) -> bool:
        return False

    def server_lost(self, end: End) -> None:
        """No server is had."""

    def stop(self) -> None:
        """The worker ends now."""
        self._receiver.forget(self._client, self)
