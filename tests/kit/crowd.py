"""A crowd of clients that mostly do nothing, in a process of its own: one process may not open enough sockets for it.

    python -m tests.kit.crowd tcp|udp PORT COUNT

Each client says hello, one after the other, and how many were answered is printed. So again for every line of input,
which is a number: so many of the clients that are left leave before that.
"""

import resource
import socket
import subprocess
import sys

from l4d.address import Address
from tests.kit.closing import Closing
from tests.kit.command import ROOT


class Crowd(Closing):
    """A crowd in front of *address*. It begins with a greeting; ask how it was answered."""

    def __init__(self, kind: str, address: Address, count: int) -> None:
        """*kind*: "tcp" or "udp"."""
        line = [sys.executable, "-m", "tests.kit.crowd", kind, str(address.sockaddr[1]), str(count)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, bufsize=1, cwd=ROOT)

    def answered(self) -> int:
        """How many were answered the last time they said hello."""
        assert self._process.stdout
        return int(self._process.stdout.readline() or 0)

    def greet(self, leaving: int = 0) -> int:
        """So many leave, the others say hello: how many are answered."""
        assert self._process.stdin
        self._process.stdin.write(f"{leaving}\n")
        return self.answered()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def main(kind: str, port: int, count: int) -> None:
    raise_limit()
    clients = [connect(kind, port) for _ in range(count)]
    print(greet(clients), flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            clients.pop().close()
        print(greet(clients), flush=True)


def raise_limit() -> None:
    """Open as many descriptors as we may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connect(kind: str, port: int) -> socket.socket:
    sock = socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", port))
    return sock


def greet(clients: list[socket.socket]) -> int:
    """How many are answered."""
    return sum(is_answered(client, b"hello %d" % number) for number, client in enumerate(clients))


def is_answered(client: socket.socket, hello: bytes) -> bool:
    try:
        client.send(hello)
        return client.recv(100) == hello
    except OSError:  # its session is over
        return False


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
