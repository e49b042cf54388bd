"""Bulk over UDP: datagrams of 1200 bytes, sent as fast as they can be, and counted where they arrive.

The sender does not wait for anybody, so what cannot be carried is dropped before the proxy or in it: the figure is
what came through.
"""

import mmap
from collections.abc import Sequence
from pathlib import Path

from bench.candidates import Candidate, Target, wait_ready
from bench.places import Where
from bench.programs import BenchError, ours
from bench.scenario import Contender, Prepare, Sample, contenders, steady
from bench.stage import Stage
from l4d.terms import Protocol

SIZE = 1200


class Sink:
    """Counts what arrives, in a file that is shared with us."""

    def __init__(self, stage: Stage, *, gro: bool) -> None:
        port = stage.port()
        host = stage.host(Where.SERVER)
        self.address = f"{host}:{port}"
        path = stage.folder / "counter"
        path.write_bytes(bytes(mmap.PAGESIZE))
        process = stage.keep(stage.start(Where.SERVER, ours("load_udp", "sink", host, port, path, int(gro))))
        wait_ready(process, Protocol.UDP, port)
        self._path = Path(path)

    def datagrams(self) -> float:
        """How many have arrived so far."""
        return int.from_bytes(self._path.read_bytes()[:8], "little") / SIZE


def scenario(segments: int) -> Prepare:
    """Every candidate in turn, the sender handing over so many datagrams a system call."""

    def prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
        sink = Sink(stage, gro=segments > 1)

        def send(target: Target) -> Sample:
            line = ours("load_udp", "flood", target.host, target.port, SIZE, segments)
            with stage.start(Where.CLIENT, line) as load:
                before = sink.datagrams()
                load.wait_until("the first datagram arrives", lambda: sink.datagrams() > before)
                sample = steady(sink.datagrams, target, stage)
            if not sample.operations:
                raise BenchError("no datagram arrived")
            return sample

        def contender(candidate: Candidate) -> Contender:
            target = candidate.start(stage, Protocol.UDP, [sink.address])
            return Contender(candidate.name, lambda: send(target))

        return contenders(stage, candidates, contender)

    return prepare
