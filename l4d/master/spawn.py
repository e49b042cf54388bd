"""Forking a worker, with everything it needs and nothing it does not."""

import os
import signal
import time

from l4d.master.generation import Child, Generation
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.worker import channel, process
from l4d.worker.assignment import Assignment


def spawn(generation: Generation, slot: int, board: Board, columns: Columns, *, detached: bool) -> Child:
    """A new worker for *slot*, not ready yet. Raises OSError (no process, no descriptor) or BoardFullError."""
    row = board.take_row()
    try:
        ours, theirs = channel.pair()
    except OSError:
        board.retire_row(row, [], columns.used)
        raise
    prepared = generation.prepared
    assignment = Assignment(
        generation.number,
        slot,
        prepared.slots,
        prepared.config,
        prepared.plan.of_slot(slot),
        prepared.identity,
        board,
        columns,
        row,
        theirs,
        prepared.sink,
        os.getpid(),
        detached,
    )
    try:
        pid, pidfd = _fork(assignment)
    except OSError:
        ours.close()
        board.retire_row(row, [], columns.used)
        raise
    finally:
        theirs.close()
    return Child(pid, pidfd, ours, generation, slot, row, time.monotonic())


def _fork(assignment: Assignment) -> tuple[int, int]:
    """The child's pid and a descriptor for it (pidfd_open(2)). Raises OSError, and then there is no child."""
    # A signal between the fork and the worker's own handlers would be heard by the master's handler in the child.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            try:
                _close_all_but(_needed(assignment))
                process.main(assignment)
            finally:
                os._exit(1)  # whatever was raised must not go on as a second master
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        return pid, os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _needed(assignment: Assignment) -> set[int]:
    """The descriptors that a worker goes on with."""
    listening = {sock.fileno() for socks in assignment.sockets.values() for sock in socks}
    return {0, 1, 2, assignment.channel.fileno(), assignment.sink.fd, *listening}


def _close_all_but(kept: set[int]) -> None:
    """Close what was inherited and is the master's alone: other slots' sockets, locks, its loop.

    The master's objects stay behind in this process, unused and never collected, so none of them closes a number again
    that means something else by now.
    """
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            _close(int(name))


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        return  # the descriptor of the listing itself
