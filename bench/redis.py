"""Ping-pong over TCP: redis-benchmark against a redis-server, both of which do next to nothing a request.

redis-benchmark runs on and on; what the server has answered by its own count, in a window of time, is the rate. So
neither connecting nor ending is measured.
"""

import socket
from collections.abc import Sequence
from pathlib import Path

from bench.candidates import Candidate, Target, wait_ready
from bench.places import Where
from bench.scenario import Contender, Prepare, Sample, contenders, steady
from bench.stage import Stage
from l4d.terms import Protocol

NEEDS = ("redis-server", "redis-benchmark")

CONNECTIONS = 32


class Redis:
    """A redis-server that keeps nothing on disk. It tells its count by a unix socket, past every namespace."""

    def __init__(self, stage: Stage) -> None:
        self.port = stage.port()
        self.address = f"{stage.host(Where.SERVER)}:{self.port}"
        self._path = stage.folder / "redis.sock"
        line = ["redis-server", "--port", str(self.port), "--bind", stage.host(Where.SERVER)]
        settings = ["--save", "", "--appendonly", "no", "--maxclients", "10000", "--protected-mode", "no"]
        process = stage.keep(stage.start(Where.SERVER, [*line, *settings, "--unixsocket", str(self._path)]))
        wait_ready(process, Protocol.TCP, self.port)

    def answered(self) -> float:
        """How many requests so far."""
        return self._info("total_commands_processed")

    def clients(self) -> float:
        """How many are connected, ourselves left out."""
        return self._info("connected_clients") - 1

    def _info(self, name: str) -> float:
        text = _ask(self._path, b"INFO\r\n")
        return float(text.partition(f"{name}:")[2].split()[0])


def _ask(path: Path, question: bytes) -> str:
    with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as lines:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall(question)
        return lines.read(int(lines.readline()[1:])).decode()


def request_of(size: int) -> bytes:
    """A PING that is so many bytes long on the wire; the answer repeats its word."""
    for length in range(size, 0, -1):
        request = f"*2\r\n$4\r\nPING\r\n${length}\r\n{'x' * length}\r\n".encode()
        if len(request) == size:
            return request
    raise AssertionError(f"no PING is {size} bytes long")


def word_of(size: int) -> str:
    """The word of such a PING."""
    return request_of(size).split(b"\r\n")[-2].decode()


def ping_pong(redis: Redis, target: Target, stage: Stage, size: int, connections: int) -> Sample:
    """So many connections, one request on its way on each."""
    endless = ["-n", "2000000000", "-q"]
    line = ["redis-benchmark", "-h", target.host, "-p", str(target.port), "-c", str(connections), *endless]
    with stage.start(Where.CLIENT, [*line, "PING", word_of(size)]) as load:
        load.wait_until(f"{connections} clients are connected", lambda: redis.clients() >= connections)
        return steady(redis.answered, target, stage)


def scenario(size: int) -> Prepare:
    """Every candidate in turn, requests of so many bytes."""

    def prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
        redis = Redis(stage)

        def contender(candidate: Candidate) -> Contender:
            target = candidate.start(stage, Protocol.TCP, [redis.address])
            return Contender(candidate.name, lambda: ping_pong(redis, target, stage, size, CONNECTIONS))

        return contenders(stage, candidates, contender)

    return prepare
