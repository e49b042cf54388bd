"""Bulk over TCP: iperf3, whose both ends are single-threaded. It counts in whole seconds, and so do we here."""

import json
import time
from collections.abc import Sequence
from typing import Any

from bench.candidates import Candidate, Target, wait_ready
from bench.cost import between, spent
from bench.places import Where
from bench.programs import BenchError
from bench.scenario import Contender, Prepare, Sample, contenders
from bench.stage import Stage
from l4d.terms import Protocol

NEEDS = ("iperf3",)

_PATIENCE = 30.0


def scenario(*options: str) -> Prepare:
    """Every candidate in turn; *options* are iperf3's."""

    def prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
        port = stage.port()
        host = stage.host(Where.SERVER)
        server = stage.keep(stage.start(Where.SERVER, ["iperf3", "-s", "-B", host, "-p", str(port), "--forceflush"]))
        wait_ready(server, Protocol.TCP, port)

        def contender(candidate: Candidate) -> Contender:
            target = candidate.start(stage, Protocol.TCP, [f"{host}:{port}"])
            return Contender(candidate.name, lambda: _send(target, stage, options))

        return contenders(stage, candidates, contender)

    return prepare


def _send(target: Target, stage: Stage, options: Sequence[str]) -> Sample:
    """The whole of one run of iperf3, of which connecting is a very small part."""
    pids = target.pids()
    seconds = max(1, round(stage.settings.seconds))
    line = ["iperf3", "-c", target.host, "-p", str(target.port), "-t", str(seconds), "-J", *options]
    before, since = spent(pids), time.perf_counter()
    with stage.start(Where.CLIENT, line) as client:
        said = client.finish(seconds + _PATIENCE)
    proxy, whole = between(before, spent(pids))
    end: dict[str, Any] = json.loads(said)["end"]
    received = [end[name] for name in ("sum_received", "sum_received_bidir_reverse") if name in end]
    if not received or not received[0]["bytes"]:
        raise BenchError("iperf3 received nothing")
    gigabytes = sum(each["bytes"] for each in received) / 1e9
    gigabits = sum(each["bits_per_second"] for each in received) / 1e9
    return Sample(gigabits, gigabytes, time.perf_counter() - since, proxy, whole)
