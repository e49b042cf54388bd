"""Who sent a datagram, and what a client may have in the flow table."""

from typing import Protocol, TypeAlias

from l4d.address import SockAddr
from l4d.handover.parcel import Parcel
from l4d.linux.datagram import Ancillary
from l4d.terms import End
from l4d.upstream.server import Server

ClientKey: TypeAlias = object
"""The client's socket address, with the packed local address where the listening socket has many."""


class Client:
    """Who sent a datagram, and how an answer reaches it."""

    __slots__ = ("key", "reply_with", "sockaddr")

    def __init__(self, key: ClientKey, sockaddr: SockAddr, reply_with: Ancillary) -> None:
        self.key = key
        self.sockaddr = sockaddr
        self.reply_with = reply_with


class Entry(Protocol):
    """What the flow table holds: a flow, or word that the client's server refuses it."""

    def __hash__(self) -> int: ...

    @property
    def client(self) -> Client: ...

    @property
    def bound(self) -> str:
        """The address of the socket that its client writes to."""
        ...

    @property
    def movable(self) -> bool:
        """Whether it lives, and here."""
        ...

    def receive(self, data: memoryview, cut: int) -> None:
        """A datagram from the client, or a train of them with *cut* bytes each."""
        ...

    def hand_over(self) -> Parcel:
        """Its facts, for another worker to go on with. It is of no use here any more."""
        ...

    def idle(self) -> None:
        """It was silent for idle_timeout."""
        ...

    def is_served_by(self, server: Server) -> bool: ...

    def server_lost(self, end: End) -> None:
        """Its server went down, or was removed, and takes its sessions with it."""
        ...

    def stop(self) -> None: ...
