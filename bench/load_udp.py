"""UDP in bulk: a sender that sends as fast as it can, a sink that counts, and an echo.

    python -m bench.load_udp flood HOST PORT SIZE SEGMENTS     SEGMENTS datagrams a system call (UDP_SEGMENT)
    python -m bench.load_udp sink HOST PORT COUNTER GRO        bytes received, in the first word of the file COUNTER
    python -m bench.load_udp echo HOST PORT

No public load maker at hand sends with segmentation offload as QUIC and WireGuard do.
"""

import mmap
import socket
import sys
from contextlib import suppress

SOL_UDP = 17
UDP_SEGMENT = 103
UDP_GRO = 104

_BUFFER = 4 << 20


def flood(host: str, port: int, size: int, segments: int) -> None:
    """Send until the end comes from outside."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        if segments > 1:
            sock.setsockopt(SOL_UDP, UDP_SEGMENT, size)
        sock.connect((host, port))
        data = bytes(size * segments)
        while True:
            with suppress(ConnectionRefusedError):
                sock.send(data)


def sink(host: str, port: int, counter: str, gro: bool) -> None:
    """Receive until the end comes from outside. With *gro*, many datagrams may come at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, open(counter, "r+b") as file:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if gro:
            sock.setsockopt(SOL_UDP, UDP_GRO, 1)
        sock.bind((host, port))
        shared = memoryview(mmap.mmap(file.fileno(), mmap.PAGESIZE)).cast("Q")
        buffer = bytearray(65536)
        total = 0
        while True:
            total += sock.recv_into(buffer)
            shared[0] = total


def echo(host: str, port: int) -> None:
    """Answer until the end comes from outside."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        sock.bind((host, port))
        buffer = memoryview(bytearray(65536))
        while True:
            size, client = sock.recvfrom_into(buffer)
            sock.sendto(buffer[:size], client)


def main() -> None:
    task, host, port, *others = sys.argv[1:]
    if task == "flood":
        flood(host, int(port), int(others[0]), int(others[1]))
    elif task == "sink":
        sink(host, int(port), others[0], others[1] == "1")
    else:
        echo(host, int(port))


if __name__ == "__main__":
    main()
