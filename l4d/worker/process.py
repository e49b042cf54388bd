"""The worker process: take its place, say ready, serve, leave."""

import gc
import signal
from functools import partial
from typing import NoReturn

from l4d.child import settle
from l4d.child.life import live
from l4d.linux import process
from l4d.log.log import Log
from l4d.log.outlets import leave_standard
from l4d.terms import Affinity
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.worker import Worker

GC_THRESHOLD = 10_000
"""Container objects between two looks of the collector: no cycle is born on the hot path, so it finds nothing."""


def main(assignment: WorkerAssignment) -> NoReturn:
    """Be a worker until there is nothing left to do. Called in the child, after the fork; never returns."""
    log = settle.make_log(assignment, f"worker {assignment.slot}")
    live(log, "a worker", partial(_serve, assignment, log))


def _serve(assignment: WorkerAssignment, log: Log) -> int:
    settle.leave_terminal(assignment)
    if assignment.detached:
        leave_standard(assignment.access)
    if assignment.config.main.cpu_affinity is Affinity.AUTO:
        process.stay_on_cpu(assignment.slot)
    settle.settle(assignment, "worker process")
    worker = Worker(assignment, log)
    # What exists now is shared with the master; frozen, the collector leaves those pages alone.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    worker.serve()
    return 0
