"""A crowd of clients that mostly do nothing, in a process of its own: one process may not open enough sockets for it.

    python -m tests.kit.crowd tcp|udp PORT COUNT

Each client says hello, one after the other, and how many were answered is printed. So again for every line of input.
"""

import resource
import socket
import sys


def main(kind: str, port: int, count: int) -> None:
    raise_limit()
    clients = [connect(kind, port) for _ in range(count)]
    print(greet(clients), flush=True)
    for _ in sys.stdin:
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
    answered = 0
    for number, client in enumerate(clients):
        hello = b"hello %d" % number
        client.send(hello)
        answered += client.recv(100) == hello
    return answered


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
