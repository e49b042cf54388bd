"""The worker process: take its place, say ready, serve, leave."""

import gc
import os
import resource
import signal
import sys
from typing import NoReturn

from setproctitle import setproctitle

from l4d.linux import process
from l4d.log.log import Log
from l4d.stats import catalogue
from l4d.terms import Affinity
from l4d.worker.assignment import Assignment
from l4d.worker.worker import Worker

GC_THRESHOLD = 10_000
"""Container objects between two looks of the collector: no cycle is born on the hot path, so it finds nothing."""


def main(assignment: Assignment) -> NoReturn:
    """Be a worker until there is nothing left to do. Called in the child, after the fork; never returns."""
    status = 1
    log = _make_log(assignment)
    try:
        _settle_in(assignment)
        worker = Worker(assignment, log)
        # What exists now is shared with the master; frozen, the collector leaves those pages alone.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        worker.serve()
        status = 0
    except OSError as error:
        log.error(f"cannot work: {error.strerror or error}")
    except Exception:  # nobody above can tell it
        log.bug("a worker")
    finally:
        sys.stderr.flush()
        os._exit(status)


def _make_log(assignment: Assignment) -> Log:
    row = assignment.board.row(assignment.row)
    dropped = assignment.columns.of(catalogue.LOG_LINES_DROPPED)

    def lost() -> None:
        row[dropped] += 1

    who = f"worker {assignment.slot} generation {assignment.generation}"
    return Log(assignment.sink, assignment.config.log.level, who, lost)


def _settle_in(assignment: Assignment) -> None:
    """Title, limits, CPU, rights; last the wish to die with the master, which a change of user would clear."""
    settings = assignment.config.main
    if assignment.detached:
        process.leave_terminal()
        if assignment.config.log.error == "stderr":
            assignment.sink.reopen(process.open_null())
    setproctitle("l4d: worker process")
    if settings.rlimit_nofile:
        _limit_descriptors(settings.rlimit_nofile)
    if settings.cpu_affinity is Affinity.AUTO:
        process.stay_on_cpu(assignment.slot)
    if assignment.identity is not None:
        process.become(assignment.identity.uid, assignment.identity.gid)
    process.forbid_new_privileges()
    if not process.die_with_parent(assignment.master):
        raise ProcessLookupError(None, "the master is gone")


def _limit_descriptors(number: int) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, max(hard, number)))
