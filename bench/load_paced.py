"""Requests at a fixed rate over TCP, and how long their answers took.

    python -m bench.load_paced HOST PORT CONNECTIONS REQUEST-BYTES RATE SECONDS

A request is due at its time, whether or not earlier ones were answered, and its answer's time counts from when it was
due, not from when we came to send it; a proxy that stalls is charged for everything that was due meanwhile.

sockperf and dnsperf send at a rate too. sockperf's sender burns a whole CPU waiting for the next moment, which on a
machine of two leaves client, proxy and server the other one; dnsperf tells no percentiles.
"""

import gc
import json
import select
import socket
import sys
import time
from array import array
from collections import deque

from bench.redis import request_of

_SKIPPED = 0.1  # of the time, at the beginning
_END = 1.0  # seconds to wait for the last answers


class Paced:
    def __init__(self, host: str, port: int, connections: int, size: int) -> None:
        self._request = request_of(size)
        self._socks = [socket.create_connection((host, port)) for _ in range(connections)]
        self._sent: dict[int, deque[float]] = {}
        self._left: dict[int, int] = {}  # bytes of the answer that is arriving
        self._by_fd = {sock.fileno(): sock for sock in self._socks}
        self.took = array("d")
        for sock in self._socks:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(self._request)
            self._answer = len(sock.recv(65536))  # all answers are equally long
            sock.setblocking(False)
            self._sent[sock.fileno()] = deque()
            self._left[sock.fileno()] = self._answer

    def run(self, rate: float, seconds: float) -> float:
        """The rate there really was."""
        fds = list(self._by_fd)
        start = time.perf_counter()
        total = int(rate * seconds)
        sent = answered = 0
        last = start + seconds + _END
        while answered < total:
            now = time.perf_counter()
            if now > last:
                break
            due = min(total, int((now - start) * rate) + 1)
            for number in range(sent, due):
                fd = fds[number % len(fds)]
                self._sent[fd].append(start + number / rate)
                self._by_fd[fd].send(self._request)
            sent = due
            wait = max(0.0, start + sent / rate - time.perf_counter()) if sent < total else _END
            readable, _, _ = select.select(fds, (), (), wait)
            for fd in readable:
                answered += self._read(fd)
        return answered / (time.perf_counter() - start)

    def _read(self, fd: int) -> int:
        """How many answers are complete now."""
        size = len(self._by_fd[fd].recv(65536))
        if not size:
            raise ConnectionError("closed by the other side")
        now = time.perf_counter()
        complete = 0
        left = self._left[fd] - size
        while left <= 0:
            self.took.append(now - self._sent[fd].popleft())
            complete += 1
            left += self._answer
        self._left[fd] = left
        return complete


def main() -> None:
    host, port, connections, size, rate, seconds = sys.argv[1:]
    paced = Paced(host, int(port), int(connections), int(size))
    gc.disable()
    reached = paced.run(float(rate), float(seconds))
    took = sorted(paced.took[int(len(paced.took) * _SKIPPED) :])
    if not took:
        sys.exit("no answer came")
    at = {f"p{percent:g}": took[min(len(took) - 1, int(len(took) * percent / 100))] for percent in (50, 90, 99, 99.9)}
    print(json.dumps({"rate": reached, "answers": len(paced.took), "max": took[-1], **at}))


if __name__ == "__main__":
    main()
