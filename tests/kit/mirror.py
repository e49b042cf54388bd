"""UDP flows that can be told apart: a server that says from which port it was asked, and clients that count."""

import selectors
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from l4d.address import Address
from tests.kit.closing import Closing
from tests.kit.programs import port_of
from tests.kit.udp import UdpClient, UdpServer


class Mirror(Closing):
    """A server in a thread that sends each datagram back with the port it came from before it."""

    def __init__(self) -> None:
        self._server = UdpServer()
        self.address = self._server.address
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._server.socket.settimeout(0.1)
        self._done = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done:
            try:
                datagram = self._server.receive()
            except TimeoutError:
                continue
            datagram.answer(b"%d %b" % (port_of(datagram.sender), datagram.data))

    def close(self) -> None:
        self._done = True
        self._thread.join()
        self._server.close()


class Counter(Closing):
    """A client that sends 0, 1, 2 ..., and what it hears of them from a mirror."""

    def __init__(self, address: Address) -> None:
        self.client = UdpClient(address)
        self.client.socket.setblocking(False)
        self.sent = 0
        self.heard: list[int] = []
        self.ports: list[int] = []
        """From which the mirror was asked, without repeats in a row."""

    def send(self) -> None:
        self.client.send(b"%d" % self.sent)
        self.sent += 1

    def hear(self) -> None:
        with suppress(BlockingIOError):
            while True:
                port, number = map(int, self.client.receive().split())
                self.heard.append(number)
                if self.ports[-1:] != [port]:
                    self.ports.append(port)

    @property
    def is_whole(self) -> bool:
        """Whether all was answered once and in order, and the mirror was asked from one port."""
        return self.heard == list(range(self.sent)) and len(self.ports) == 1

    def close(self) -> None:
        self.client.close()


class Counters(Closing):
    """So many of them."""

    def __init__(self, address: Address, count: int) -> None:
        self.all = [Counter(address) for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        for one in self.all:
            self._selector.register(one.client.socket, selectors.EVENT_READ, one)

    def send(self) -> None:
        """Each sends its next number."""
        for one in self.all:
            one.send()

    def hear(self, seconds: float) -> None:
        """What comes within so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                key.data.hear()

    def answered(self, who: Iterable[Counter] = ()) -> bool:
        """Whether each has heard as much as it has sent, or each of those; some time is given for that."""
        self.hear(0.02)
        return all(len(one.heard) >= one.sent for one in who or self.all)

    def close(self) -> None:
        self._selector.close()
        for one in self.all:
            one.close()
