"""A turn of the loop: what it costs to wake up for one descriptor, and for a hundred."""

import os

import pytest

from l4d.loop.deadlines import Deadlines
from l4d.loop.loop import IN, Loop
from l4d.stats import catalogue
from l4d.stats.histogram import Histogram
from tests.micro.benchmark import Benchmark
from tests.unit.making import Row


@pytest.mark.parametrize("ready", [1, 100])
def test_a_turn_with_so_many_ready(benchmark: Benchmark, ready: int) -> None:
    loop = Loop()
    pipes = [os.pipe() for _ in range(ready)]
    for source, target in pipes:
        os.write(target, b"x")  # never read: it is ready in every turn
        loop.watch(source, IN, _nothing)
    benchmark(loop.turn)
    loop.shut()
    for fd in (end for pipe in pipes for end in pipe):
        os.close(fd)


def test_a_turn_that_is_measured(benchmark: Benchmark) -> None:
    """As those of a worker are."""
    row = Row()
    loop = Loop(observe=Histogram(row.row, row.columns, catalogue.WORKER_LOOP).observe)
    source, target = os.pipe()
    os.write(target, b"x")
    loop.watch(source, IN, _nothing)
    benchmark(loop.turn)
    loop.shut()
    os.close(source)
    os.close(target)


@pytest.mark.parametrize("waiting", [1, 10_000])
def test_a_deadline_put_off_among_so_many(benchmark: Benchmark, waiting: int) -> None:
    loop = Loop()
    queue: Deadlines[object] = loop.queue(600.0, lambda _: None)
    waiters = [object() for _ in range(waiting)]
    for waiter in waiters:
        queue.enter(waiter, loop.now)
    benchmark(queue.enter, waiters[0], loop.now)
    loop.shut()


def _nothing(_mask: int) -> None:
    pass
