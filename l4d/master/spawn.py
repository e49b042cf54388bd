"""Forking a child, with everything it needs and nothing it does not."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import NoReturn, TypeVar

from l4d.child import channel
from l4d.child.assignment import Assignment
from l4d.control import process as control
from l4d.control.assignment import ControlAssignment
from l4d.linux import calls
from l4d.master.generation import Child, Generation
from l4d.master.prepare import Prepared
from l4d.stats import catalogue
from l4d.stats.board import Board
from l4d.stats.changes import Changes
from l4d.stats.columns import Columns
from l4d.worker import process as worker
from l4d.worker.assignment import WorkerAssignment

Assigned = TypeVar("Assigned", bound=Assignment)


class Spawner:
    """What all children of one master have in common."""

    def __init__(
        self,
        board: Board,
        columns: Columns,
        control_row: int,
        inquiries: socket.socket,
        changes: Changes,
        *,
        detached: bool,
    ) -> None:
        """Workers call *inquiries*, and control answers and is told of *changes*; *detached*: hold no terminal open."""
        self.tell_birth: Callable[[int, int], None] | None = None
        """Called with the row and the pidfd of each process that is born, if anybody wants to know."""
        self.board = board
        self.columns = columns
        self._control_row = control_row
        self._inquiries = inquiries
        self._changes = changes
        self._detached = detached

    def worker(self, generation: Generation, slot: int) -> Child:
        """A new worker for *slot*, not ready yet. Raises OSError (no process, no descriptor) or BoardFullError."""
        prepared = generation.prepared
        plan = prepared.plan
        sockets, surplus, retired = plan.of_slot(slot), plan.surplus_of_slot(slot), plan.retired_of_slot(slot)
        every = (*sockets.values(), *surplus.values(), *retired.values())
        descriptors = [sock.fileno() for socks in every for sock in socks]
        descriptors += [outlet.fd for outlet in prepared.access.values()]
        row = self.board.take_row()

        def assign(theirs: socket.socket) -> WorkerAssignment:
            common = self._assignment(generation.number, prepared, row, theirs)
            name, access = calls.name_of(self._inquiries), prepared.access
            return WorkerAssignment.of(common, slot, prepared.slots, sockets, surplus, retired, name, access)

        try:
            pid, pidfd, ours = _bear(assign, worker.main, descriptors)
        except OSError:
            self.free_row(row)
            raise
        if self.tell_birth is not None:
            self.tell_birth(row, pidfd)
        return Child(pid, pidfd, ours, generation, slot, row, time.monotonic())

    def control(self, number: int, prepared: Prepared) -> tuple[int, int, socket.socket]:
        """A new control process for generation *number*: its pid, a descriptor for it, our end of its channel.

        It writes nothing before it is told to. Raises OSError.
        """
        row, inquiries, doors = self._control_row, self._inquiries, prepared.doors.sockets
        bound = {name: [each.address for each in bounds] for name, bounds in prepared.plan.by_listener.items()}

        def assign(theirs: socket.socket) -> ControlAssignment:
            common = self._assignment(number, prepared, row, theirs)
            return ControlAssignment.of(common, inquiries, doors, bound, self._changes)

        pid, pidfd, ours = _bear(assign, control.main, [sock.fileno() for sock in (inquiries, *doors)])
        if self.tell_birth is not None:
            self.tell_birth(row, pidfd)
        return pid, pidfd, ours

    def control_heartbeat(self) -> float:
        """When the control process was last heard of, in monotonic seconds."""
        return self.board.row(self._control_row)[self.columns.of(catalogue.HEARTBEAT)] / 1000

    def free_row(self, row: int) -> None:
        """The row of a worker that was never born."""
        self.board.retire_row(row, [], self.columns.used)

    def _assignment(self, number: int, prepared: Prepared, row: int, theirs: socket.socket) -> Assignment:
        return Assignment(
            number,
            prepared.config,
            prepared.identity,
            self.board,
            self.columns,
            row,
            self._control_row,
            theirs,
            prepared.sink,
            os.getpid(),
            self._detached,
        )


def _bear(
    assign: Callable[[socket.socket], Assigned], main: Callable[[Assigned], NoReturn], descriptors: Iterable[int]
) -> tuple[int, int, socket.socket]:
    """A child with what *assign* gives it for its end of a channel: its pid, a descriptor for it, our end.

    Raises OSError, and then there is neither child nor channel.
    """
    ours, theirs = channel.pair()
    try:
        return *_fork(assign(theirs), main, descriptors), ours
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()


def _fork(assignment: Assigned, main: Callable[[Assigned], NoReturn], descriptors: Iterable[int]) -> tuple[int, int]:
    """The child's pid and a descriptor for it (pidfd_open(2)). Raises OSError, and then there is no child."""
    # A signal between the fork and the child's own handlers would be heard by the master's handler in the child.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            try:
                kept = {assignment.channel.fileno(), assignment.sink.fd, *assignment.board.descriptors}
                _close_all_but({0, 1, 2, *kept, *descriptors})
                main(assignment)
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
