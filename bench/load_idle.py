"""Connections that have each asked and been answered once, and then are silent.

    python -m bench.load_idle HOST PORT COUNT REQUEST-BYTES

It says "held" when all of them are, and ends when it is ended.
"""

import selectors
import signal
import socket
import sys

from bench.redis import request_of

_TOGETHER = 200  # connections begun at once
_PATIENCE = 20.0


def hold(host: str, port: int, count: int, size: int) -> list[socket.socket]:
    """So many connections, each answered once. Raises OSError."""
    request = request_of(size)
    held: list[socket.socket] = []
    while len(held) < count:
        batch = [socket.create_connection((host, port), _PATIENCE) for _ in range(min(_TOGETHER, count - len(held)))]
        for sock in batch:
            sock.sendall(request)
        for sock in batch:
            if not sock.recv(65536):
                raise ConnectionError(f"closed after {len(held)} connections")
        held += batch
    return held


def main() -> None:
    host, port, count, size = sys.argv[1:]
    held = hold(host, int(port), int(count), int(size))
    print("held", flush=True)
    with selectors.DefaultSelector() as selector:
        for sock in held:
            selector.register(sock, selectors.EVENT_READ)
        selector.select()
        print("closed by the other side", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
