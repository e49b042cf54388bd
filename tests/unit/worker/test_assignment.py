"""A worker's assignment is what every child has, and its own."""

import os
import socket
from dataclasses import fields
from typing import cast

from l4d.child.assignment import Assignment
from l4d.worker.assignment import WorkerAssignment
from tests.unit.making import CONTROL, Lines, Row, config_of


def test_a_worker_has_all_that_every_child_has_and_its_slot() -> None:
    row = Row()
    nothing = cast(socket.socket, None)
    common = Assignment(
        3, config_of(), None, row.board, row.columns, row.number, CONTROL, nothing, Lines(), os.getpid(), detached=True
    )
    worker = WorkerAssignment.of(common, 1, 4, {"web": ()}, {"given up": ()}, {"gone": ()}, b"\0name", {})
    assert (worker.slot, worker.workers) == (1, 4)
    assert (worker.sockets, worker.surplus, worker.retired) == ({"web": ()}, {"given up": ()}, {"gone": ()})
    assert worker.inquiries == b"\0name"
    assert all(getattr(worker, field.name) is getattr(common, field.name) for field in fields(Assignment))
