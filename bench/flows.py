"""Many UDP flows through two workers: each measurement has a proxy and flows of its own.

Fresh ones, because a flow through a proxy takes two of the kernel's ports for clients, and there are 28,000.
"""

import time

from bench.candidates import Candidate, wait_ready
from bench.configs import descriptors
from bench.cost import between, spent
from bench.places import Where
from bench.programs import BenchError, Process, ours
from bench.scenario import Sample
from bench.stage import Stage
from l4d.terms import Protocol

WORKERS = 2
POINTS = (100, 1000, 5000, 15000)
QUICK = (100, 2000)

_NEW = 500
_SPARE = 400  # descriptors a process needs for other things


class Echo:
    """A server that answers every datagram."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        host, port = stage.host(Where.SERVER), stage.port()
        self._address = f"{host}:{port}"
        wait_ready(stage.keep(stage.start(Where.SERVER, ours("load_udp", "echo", host, port))), Protocol.UDP, port)

    def turn(self, candidate: Candidate, flows: int) -> Sample:
        """The cost of a datagram, and of its answer, while all flows take turns."""
        return self._watch(candidate, flows, f"turn {self._stage.settings.seconds}")

    def begin(self, candidate: Candidate, flows: int) -> Sample:
        """The cost of a new flow, its first datagram and the answer to that, while there are so many."""
        return self._watch(candidate, flows, f"open {_NEW}")

    def _watch(self, candidate: Candidate, flows: int, task: str) -> Sample:
        if flows + _NEW > descriptors() - _SPARE:
            raise BenchError(f"{flows} flows need more descriptors than {descriptors()}")
        process, target = candidate.launch(self._stage, Protocol.UDP, [self._address], WORKERS)
        assert process is not None
        with process, self._load(target.host, target.port) as load:
            opened, lost = _told(load, f"open {flows}")
            if lost > flows // 100:
                raise BenchError(f"of {flows} flows {opened} were answered")
            pids = target.pids()
            before, since = spent(pids), time.perf_counter()
            answered, lost = _told(load, task)
            seconds = time.perf_counter() - since
            proxy, whole = between(before, spent(pids))
        if not answered:
            raise BenchError("no datagram was answered")
        return Sample(answered / seconds, answered, seconds, proxy, whole, {"lost": lost})

    def _load(self, host: str, port: int) -> Process:
        return self._stage.start(Where.CLIENT, ours("load_flows", host, port), talks=True)


def _told(load: Process, task: str) -> tuple[int, int]:
    answered, lost = load.ask(task).split()
    return int(answered), int(lost)
