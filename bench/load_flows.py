"""Many UDP flows, each from a socket of its own, told by lines on standard input what to do.

python -m bench.load_flows HOST PORT
open N           N more flows, each heard and answered once         -> answered N, lost N
turn SECONDS     all flows in turn, 32 datagrams on their way       -> answered N, lost N
"""

import itertools
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

_WINDOW = 32
_SILENCE = 0.5  # what is not answered by then is lost
_PAYLOAD = bytes(64)
_FIRST_PORT = 12000
_FLOWS_AN_ADDRESS = 5000
_TRIED = 8


class Flows:
    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socks: list[socket.socket] = []
        self._index: dict[int, int] = {}
        self._epoll = select.epoll()

    def open(self, count: int) -> tuple[int, int]:
        """So many more flows."""
        return self._exchange(self._new(count))

    def turn(self, seconds: float) -> tuple[int, int]:
        """All flows in turn, for so long."""
        deadline = time.monotonic() + seconds
        circle = itertools.cycle(range(len(self._socks)))
        return self._exchange(itertools.takewhile(lambda _: time.monotonic() < deadline, circle))

    def _new(self, count: int) -> Iterator[int]:
        for _ in range(count):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._bind(sock, len(self._socks))
            sock.connect(self._address)
            self._index[sock.fileno()] = len(self._socks)
            self._epoll.register(sock.fileno(), select.EPOLLIN)
            self._socks.append(sock)
            yield len(self._socks) - 1

    def _bind(self, sock: socket.socket, number: int) -> None:
        """On loopback: 5,000 ports of many addresses, so that the kernel's ports are left to the proxy."""
        if not self._address[0].startswith("127."):
            return
        for skipped in range(_TRIED):
            address = number + skipped * _FLOWS_AN_ADDRESS
            with suppress(OSError):
                sock.bind((f"127.1.0.{1 + address // _FLOWS_AN_ADDRESS}", _FIRST_PORT + address % _FLOWS_AN_ADDRESS))
                return

    def _exchange(self, order: Iterator[int]) -> tuple[int, int]:
        """One datagram to each of *order*: how many were answered, how many not."""
        waiting: set[int] = set()
        answered = lost = 0
        while True:
            for index in itertools.islice(order, _WINDOW - len(waiting)):
                self._send(index)
                waiting.add(index)
            if not waiting:
                return answered, lost
            events = self._epoll.poll(_SILENCE)
            if not events:
                lost += len(waiting)
                waiting.clear()
            for fd, _ in events:
                index = self._index[fd]
                if self._receive(index) and index in waiting:
                    waiting.remove(index)
                    answered += 1

    def _send(self, index: int) -> None:
        try:
            self._socks[index].send(_PAYLOAD)
        except OSError:
            return  # it counts as lost, in time

    def _receive(self, index: int) -> bool:
        try:
            return bool(self._socks[index].recv(2048))
        except OSError:
            return False


def main() -> None:
    host, port = sys.argv[1:]
    flows = Flows(host, int(port))
    for line in sys.stdin:
        task, number = line.split()
        answered, lost = flows.open(int(number)) if task == "open" else flows.turn(float(number))
        print(answered, lost, flush=True)


if __name__ == "__main__":
    main()
