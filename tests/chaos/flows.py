"""UDP clients, each of which sends a datagram of its own size at a steady pace, whether or not an answer came.

    python -m tests.chaos.flows PORT COUNT A_SECOND FIRST SEED

At the end of the input no more are sent, and the answers to the last ones are waited for.
"""

import random
import select
import socket
import struct
import sys
import time
from contextlib import suppress

from tests.chaos.content import GREETING, misplaced, piece, turned
from tests.chaos.facts import Ready, Wrong, say
from tests.chaos.pace import Pace
from tests.chaos.trace import Trace
from tests.chaos.turns import Turns

LABEL = struct.Struct("!QQ")
"""At the head of each datagram: the number of the flow, and its own."""

STRIDE = 4001
"""The content of a datagram begins so much further on in its flow's than that of the one before."""

_LAST_WAIT = 3.0
_LARGEST = 65535
_SIZES = (0, 1200)


class Sender:
    """One client."""

    def __init__(self, port: int, number: int, size: int) -> None:
        self.trace = Trace(number)
        self._size = size
        self._is_refused = False
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", port))

    def send(self) -> None:
        sequence = self.trace.send(time.monotonic())
        datagram = LABEL.pack(self.trace.number, sequence) + piece(self.trace.number, sequence * STRIDE, self._size)
        try:
            self.socket.send(datagram)
        except ConnectionRefusedError:
            self._note_refusal()
            with suppress(ConnectionRefusedError):
                self.socket.send(datagram)  # the error was another one's, and this one was not sent

    def receive(self, _mask: int) -> None:
        try:
            data = self.socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except ConnectionRefusedError:
            self._note_refusal()
            return
        now = time.monotonic()
        if what := self._what_is_wrong(data):
            say(Wrong("flows", f"flow {self.trace.number}: {what}", now))
            return
        server, port = GREETING.unpack_from(data)
        self.trace.hear(LABEL.unpack_from(data, GREETING.size)[1], port, server, now)

    def _what_is_wrong(self, data: bytes) -> str:
        head = GREETING.size + LABEL.size
        if len(data) != head + self._size:
            return f"a datagram of {self._size} bytes came back with {len(data) - head}"
        number, sequence = LABEL.unpack_from(data, GREETING.size)
        if number != self.trace.number or not self.trace.knows(sequence):
            return f"datagram {sequence} of flow {number} came here"
        return misplaced(turned(data[head:]), number, sequence * STRIDE)

    def _note_refusal(self) -> None:
        """Once: the port is the listener's, and nothing may make it refuse."""
        if not self._is_refused:
            self._is_refused = True
            say(Wrong("flows", f"flow {self.trace.number}: a datagram was refused", time.monotonic()))


def main(port: int, count: int, rate: int, first: int, seed: int) -> None:
    chance = random.Random(seed)
    turns = Turns()
    senders = [Sender(port, number, chance.randint(*_SIZES)) for number in range(first, first + count)]
    for sender in senders:
        turns.watch(sender.socket, select.EPOLLIN, sender.receive)
    pace = Pace(count * rate)
    turn = 0
    is_ready = False
    while not turns.asked_to_end:
        turns.until(pace.next)
        for _ in range(pace.due(time.monotonic())):
            senders[turn % count].send()
            turn += 1
        if not is_ready and all(sender.trace.is_answered for sender in senders):
            is_ready = True
            say(Ready("flows"))
    end = time.monotonic() + _LAST_WAIT
    while time.monotonic() < end:
        turns.until(end)
    for sender in senders:
        say(sender.trace.report())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
