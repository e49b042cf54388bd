"""Workers at full speed on one board: who finds the one server full may wait for it, whatever the others do meanwhile.

The looks of a real worker are between its turns; here there is nothing else, so that every pair of steps of two
workers comes in every order.
"""

import os
import time
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn

import pytest

from tests.unit.making import Row, upstream

WORKERS = 3
SECONDS = 1.0
LEAST = 1000
"""Choices of each worker, should the machine have stood still meanwhile."""

CONFIG = upstream(max_fails=0, queue=100)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one worker has seen."""

    served: int  # sessions that got the server
    full: int  # those that did not
    refused: int  # and were told that they need not wait either
    together: int  # sessions that had the server while another worker's had it


class Worker:
    """Chooses and gives back until *end* has come, in a process of its own."""

    def __init__(self, row: Row, end: float) -> None:
        self.row = row
        self.end = end
        self.has = row.board.columns - 1  # a column that nothing else is written in: whether it has the server
        self.reader, writer = Pipe(duplex=False)
        self.pid = os.fork()
        if self.pid == 0:
            self.work(writer)
        writer.close()

    def work(self, writer: Connection) -> NoReturn:
        try:
            writer.send(self.see())
        finally:
            os._exit(0)

    def see(self) -> Seen:
        row = self.row
        pool = row.pool(row.place(CONFIG, name="one", max_sessions=1))
        served = full = refused = together = 0
        while time.monotonic() < self.end or served + full < LEAST:
            server = pool.choose((), 0, ("127.0.0.1", 1), 80)
            if server is None:
                full += 1
                refused += not pool.is_crowded(())
                continue
            row.row[self.has] = 1
            served += 1
            together += sum(row.board.read(self.has)) > 1
            row.row[self.has] = 0
            server.give_back()
        return Seen(served, full, refused, together)

    def tells(self) -> Seen:
        with self.reader:
            seen = self.reader.recv()
        os.waitpid(self.pid, 0)
        assert isinstance(seen, Seen)
        return seen


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor does one thing at a time")
def test_nobody_who_finds_the_server_full_is_told_that_there_is_nothing_to_wait_for() -> None:
    first = Row()
    rows = [first, *(first.another() for _ in range(WORKERS - 1))]
    end = time.monotonic() + SECONDS
    workers = [Worker(row, end) for row in rows]
    seen = [worker.tells() for worker in workers]
    assert sum(each.served for each in seen) > 0
    assert sum(each.full for each in seen) > 0, "or nothing was tried"
    assert sum(each.refused for each in seen) == 0
    assert sum(each.together for each in seen) == 0
