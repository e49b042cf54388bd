"""Servers in a thread that answer by themselves, so that a test can see who was asked.

    with Echo("one") as one, Echo("two") as two: ...
    assert ask(daemon.address()) in {"one", "two"}

A server with a name puts it before every line or datagram; without a name the bytes come back as they are.
"""

import selectors
import socket
import threading
from contextlib import suppress

from l4d.address import Address, Inet, from_sockaddr
from tests.kit.closing import Closing
from tests.kit.tcp import Client
from tests.kit.udp import UdpClient

_LOOPBACK = Inet("127.0.0.1", 0)
_CHUNK = 1 << 16


def lives(client: Client) -> bool:
    """Whether the session with an echo that has no name passes bytes."""
    try:
        client.send(b"ping")
        return client.read(4) == b"ping"
    except (AssertionError, ConnectionError):
        return False


def ask(address: Address, question: str = "?") -> str:
    """The name of the TCP server that answers one line over a new connection."""
    with Client(address) as client:
        answer = client.send(f"{question}\n".encode()).read_line()
    return _name_in(answer, f"{question}\n")


def ask_udp(address: Address, question: str = "?") -> str:
    """The name of the UDP server that answers one datagram from a new port."""
    with UdpClient(address) as client:
        answer = client.send(question.encode()).receive()
    return _name_in(answer, question)


def _name_in(answer: bytes, question: str) -> str:
    name, _, rest = answer.decode().partition(" ")
    assert rest == question, f"asked {question!r}, answered {answer!r}"
    return name


class _Background(Closing):
    """One bound socket, and a thread that calls whoever has something to do, until it is closed."""

    def __init__(self, kind: socket.SocketKind, name: str, address: Address) -> None:
        self.socket = socket.socket(address.family, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM)
        self.socket.bind(address.sockaddr)
        if kind is socket.SOCK_STREAM:
            self.socket.listen(1024)
        self.socket.setblocking(False)
        self.address = from_sockaddr(self.socket.getsockname())
        self.served = 0  # connections, or datagrams
        self._tag = f"{name} ".encode() if name else b""
        self._ours, self._wakeup = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ours, selectors.EVENT_READ)
        self._selector.register(self.socket, selectors.EVENT_READ, self.arrived)
        self._thread = threading.Thread(target=self._run, name=f"echo on {self.address}")
        self._thread.start()

    def arrived(self) -> None:
        """Somebody wants something of the bound socket."""
        raise NotImplementedError

    def close(self) -> None:
        """End every conversation; from now on this address refuses. Again: nothing happens."""
        if self._selector.get_map() is None:
            return
        self._wakeup.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._ours:
                    return
                key.data()


class Echo(_Background):
    """A TCP server that sends every line back."""

    def __init__(self, name: str = "", address: Address = _LOOPBACK) -> None:
        super().__init__(socket.SOCK_STREAM, name, address)

    def arrived(self) -> None:
        sock, _ = self.socket.accept()
        sock.setblocking(False)
        self.served += 1
        conversation = _Conversation(sock, self._tag)
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._go_on(conversation))

    def _go_on(self, conversation: "_Conversation") -> None:
        if conversation.turn():
            wanted = selectors.EVENT_WRITE if conversation.unsent else selectors.EVENT_READ
            self._selector.modify(conversation.socket, wanted, lambda: self._go_on(conversation))
        else:
            self._selector.unregister(conversation.socket)
            conversation.socket.close()


class _Conversation:
    """One connection. It reads only when nothing waits to be written."""

    def __init__(self, sock: socket.socket, tag: bytes) -> None:
        self.socket = sock
        self.unsent = b""
        self._begun = b""  # a line whose end has not arrived
        self._tag = tag

    def turn(self) -> bool:
        """Read or write once. Whether the conversation goes on."""
        try:
            if self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
                return True
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        self.unsent = self._answer(data)
        return bool(data or self.unsent)

    def _answer(self, data: bytes) -> bytes:
        if not self._tag:
            return data
        lines = (self._begun + data).splitlines(keepends=True)
        self._begun = lines.pop() if data and not data.endswith(b"\n") else b""
        return b"".join(self._tag + line for line in lines)


class UdpEcho(_Background):
    """A UDP server that sends every datagram back."""

    def __init__(self, name: str = "", address: Address = _LOOPBACK) -> None:
        super().__init__(socket.SOCK_DGRAM, name, address)

    def arrived(self) -> None:
        with suppress(BlockingIOError, ConnectionRefusedError):
            data, client = self.socket.recvfrom(_CHUNK)
            self.served += 1
            self.socket.sendto(self._tag + data, client)
