"""Whether l4d is what it was."""

from dataclasses import replace

from tests.chaos.snapshot import TOLERANCE, Process, compare

MASTER, WORKER = Process("master", 29, 0, 8 << 20), Process("worker", 14, 0, 8 << 20)


def test_the_same_is_no_difference_and_neither_is_a_little_memory_or_an_idle_pipe() -> None:
    assert compare([MASTER, WORKER], [MASTER, WORKER]) == []
    assert compare([WORKER], [replace(WORKER, memory=WORKER.memory + TOLERANCE, pipes=4)]) == []


def test_a_descriptor_more_or_less_is_found() -> None:
    assert compare([MASTER], [replace(MASTER, descriptors=30)]) == ["a master had 29 descriptors, and has 30"]
    assert len(compare([MASTER], [replace(MASTER, descriptors=28)])) == 1


def test_pipes_without_end_are_found() -> None:
    assert compare([WORKER], [replace(WORKER, pipes=100)]) == ["a worker had 0 ends of pipes, and has 100"]


def test_much_more_memory_is_found() -> None:
    assert len(compare([WORKER], [replace(WORKER, memory=WORKER.memory + TOLERANCE + 1)])) == 1


def test_a_process_more_or_less_is_found() -> None:
    [found] = compare([MASTER, WORKER], [MASTER, WORKER, WORKER])
    assert found == "the processes were {'master': 1, 'worker': 1}, and are {'master': 1, 'worker': 2}"
