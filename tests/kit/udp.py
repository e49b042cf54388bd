"""Scripted UDP peers: a client with one server in mind, and a server that knows who asked."""

import socket
from dataclasses import dataclass

from l4d.address import Address, Inet, from_sockaddr
from tests.kit.closing import Closing
from tests.kit.wait import TIMEOUT, is_readable

_LARGEST = 65535


class UdpClient(Closing):
    """A connected UDP socket: what another address sends never reaches it, and a refusal is raised."""

    def __init__(self, address: Address, *, source: Inet | None = None) -> None:
        self.socket = socket.socket(address.family, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT)
        if source:
            self.socket.bind(source.sockaddr)
        self.socket.connect(address.sockaddr)

    def send(self, data: bytes) -> "UdpClient":
        self.socket.send(data)
        return self

    def receive(self) -> bytes:
        return self.socket.recv(_LARGEST)

    @property
    def local(self) -> Address:
        return from_sockaddr(self.socket.getsockname())

    def close(self) -> None:
        self.socket.close()


@dataclass(frozen=True, slots=True)
class Datagram:
    """What arrived at a server, from whom, and the way to answer."""

    data: bytes
    sender: Address
    arrived_at: socket.socket

    def answer(self, data: bytes) -> None:
        self.arrived_at.sendto(data, self.sender.sockaddr)


class UdpServer(Closing):
    """A bound UDP socket whose datagrams the test receives itself."""

    def __init__(self, address: Address = Inet("127.0.0.1", 0)) -> None:  # noqa: B008 - frozen
        self.socket = socket.socket(address.family, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT)
        self.socket.bind(address.sockaddr)
        self.address = from_sockaddr(self.socket.getsockname())

    def receive(self) -> Datagram:
        data, sender = self.socket.recvfrom(_LARGEST)
        return Datagram(data, from_sockaddr(sender), self.socket)

    def nothing_waits(self) -> bool:
        """Whether no datagram waits to be received."""
        return not is_readable(self.socket)

    def close(self) -> None:
        """From now on datagrams to this port are refused."""
        self.socket.close()
