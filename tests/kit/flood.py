"""A session under full load, both ways at once, every byte of it checked by its place.

with Flood(client, peer) as flood:
    ...
    assert flood.stop() == (up, down)     bytes that arrived, all of them, each where it belongs
"""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from tests.kit.closing import Closing
from tests.kit.tcp import Peer
from tests.kit.wait import wait_until

_PERIOD = (1 << 20) - 3
"""Bytes after which the pattern begins anew; no buffer or pipe on the way is a multiple of it."""

_PIECE = 1 << 17
Job: TypeAlias = Callable[[Peer, bytes, int], None]

_UP, _DOWN = (random.Random(seed).randbytes(_PERIOD) * 2 for seed in (1, 2))


class Flood(Closing):
    """Four threads: each side sends without end, and reads what the other has sent."""

    def __init__(self, client: Peer, server: Peer, *, pause: float = 0.0) -> None:
        """Readers wait *pause* seconds before each piece, so that bytes wait for them on the way."""
        self._client = client
        self._server = server
        self._pause = pause
        self._done = False
        self._sent = [0, 0]
        self.received = [0, 0]
        """Bytes up and down so far."""
        self._wrong: list[str] = []
        jobs = [
            (self._send, client, _UP, 0),
            (self._receive, server, _UP, 0),
            (self._send, server, _DOWN, 1),
            (self._receive, client, _DOWN, 1),
        ]
        self._threads = [threading.Thread(target=self._guard, args=job) for job in jobs]
        for thread in self._threads:
            thread.start()

    def flows(self, more: int = 1 << 20) -> None:
        """Wait until so many bytes more have arrived each way."""
        begun = tuple(self.received)
        wait_until("more arrives, both ways", lambda: self._wrong or self._have(begun, more))
        assert not self._wrong, self._wrong

    def _have(self, begun: tuple[int, ...], more: int) -> bool:
        return all(now - then >= more for now, then in zip(self.received, begun, strict=True))

    def stop(self) -> tuple[int, int]:
        """Finish on both sides; once all has arrived: how many bytes, up and down."""
        self._done = True
        for thread in self._threads:
            thread.join()
        assert not self._wrong, self._wrong
        assert self.received == self._sent
        return self.received[0], self.received[1]

    def close(self) -> None:
        self._done = True
        for thread in self._threads:
            thread.join()

    def _guard(self, job: Job, peer: Peer, pattern: bytes, way: int) -> None:
        try:
            job(peer, pattern, way)
        except (AssertionError, OSError) as error:
            self._wrong.append(f"{('up', 'down')[way]}: {error!r} after {self.received[way]} bytes")

    def _send(self, peer: Peer, pattern: bytes, way: int) -> None:
        view = memoryview(pattern)
        while not self._done:
            place = self._sent[way] % _PERIOD
            self._sent[way] += peer.socket.send(view[place : place + _PIECE])
        peer.finish()

    def _receive(self, peer: Peer, pattern: bytes, way: int) -> None:
        while data := peer.socket.recv(_PIECE):
            place = self.received[way] % _PERIOD
            assert data == pattern[place : place + len(data)], f"wrong bytes at {self.received[way]}"
            self.received[way] += len(data)
            if self._pause and not self._done:
                time.sleep(self._pause)
