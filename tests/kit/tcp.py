"""Scripted TCP peers: each step of the conversation is one call, and every wait has an end."""

import socket
import struct
from typing import TypeVar

from l4d.address import Address, Inet, from_sockaddr
from tests.kit.closing import Closing
from tests.kit.wait import TIMEOUT, is_readable, wait_until

P = TypeVar("P", bound="Peer")

_CHUNK = 1 << 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, for no time at all


class Peer(Closing):
    """One end of a TCP connection. What sends returns the peer, so that steps read in a row."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.settimeout(TIMEOUT)

    def send(self: P, data: bytes) -> P:  # noqa: PYI019 - typing.Self came with Python 3.11
        self.socket.sendall(data)
        return self

    def finish(self: P) -> P:  # noqa: PYI019
        """Send FIN: nothing more will be sent, reading goes on."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Close with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.socket.close()

    def read(self, size: int) -> bytes:
        """Exactly *size* bytes."""
        data = bytearray()
        while len(data) < size:
            chunk = self.socket.recv(min(size - len(data), _CHUNK))
            assert chunk, f"the other side finished after {len(data)} of {size} bytes: {bytes(data[-80:])!r}"
            data += chunk
        return bytes(data)

    def read_line(self) -> bytes:
        """Up to and with the next newline, and not a byte beyond."""
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self.read(1)
        return bytes(line)

    def read_all(self) -> bytes:
        """Everything up to the other side's FIN."""
        data = bytearray()
        while chunk := self.socket.recv(_CHUNK):
            data += chunk
        return bytes(data)

    def is_reset(self) -> bool:
        """Whether the connection ends with RST; what arrives before it is thrown away."""
        try:
            self.read_all()
        except (ConnectionResetError, BrokenPipeError):
            return True
        return False

    def waiting(self) -> int:
        """How many bytes could be read at once, up to 64k of them."""
        return len(self.socket.recv(_CHUNK, socket.MSG_PEEK)) if is_readable(self.socket) else 0

    @property
    def local(self) -> Address:
        return from_sockaddr(self.socket.getsockname())

    @property
    def remote(self) -> Address:
        return from_sockaddr(self.socket.getpeername())

    def close(self) -> None:
        self.socket.close()


class Client(Peer):
    """A peer that connects."""

    def __init__(self, address: Address, *, receive_buffer: int = 0, source: str = "", port: int = 0) -> None:
        """From the address *source*, if one is given, and from that *port* of it."""
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        super().__init__(sock)
        if receive_buffer:  # before connecting, or the window is not bound by it
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            if source:
                sock.bind((source, port))
            sock.connect(address.sockaddr)
        except OSError:
            sock.close()
            raise


class Server(Closing):
    """A listening socket whose connections the test accepts itself."""

    def __init__(self, address: Address = Inet("127.0.0.1", 0), *, backlog: int = 128) -> None:  # noqa: B008 - frozen
        self.socket = socket.socket(address.family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address.sockaddr)
        self.socket.listen(backlog)
        self.socket.settimeout(TIMEOUT)
        self.address = from_sockaddr(self.socket.getsockname())

    def accept(self) -> Peer:
        return Peer(self.socket.accept()[0])

    def nobody_waits(self) -> bool:
        """Whether no connection waits to be accepted."""
        return not is_readable(self.socket)

    def close(self) -> None:
        """From now on connecting here is refused."""
        self.socket.close()


def refuses(address: Address) -> bool:
    """Whether a connection to *address* is refused."""
    try:
        Client(address).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    return False


def wait_until_refused(address: Address) -> None:
    wait_until(f"connections to {address} are refused", lambda: refuses(address))
