"""Pipes for splice, and their pool."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.linux import pipes as module
from l4d.linux.pipes import PAGE, Pipe, Pipes
from tests.kit.processes import descriptors, own_descriptors

SIZE = 64 << 10


@pytest.fixture
def opened() -> Iterator[list[Pipe]]:
    """Pipes that a test has taken; those still in it at the end are closed."""
    opened: list[Pipe] = []
    yield opened
    for pipe in opened:
        pipe.close()


def empty(pool: Pipes) -> None:
    """Close the idle pipes of the pool."""
    pool.KEPT = 0
    while pool._idle:
        pool._idle.pop().close()


def test_a_pipe_never_waits_is_not_inherited_and_as_large_as_asked(opened: list[Pipe]) -> None:
    pipe = Pipe(SIZE)
    opened.append(pipe)
    assert pipe.size == SIZE
    for fd in (pipe.reader, pipe.writer):
        assert not os.get_blocking(fd)
        assert not os.get_inheritable(fd)


def test_a_size_the_kernel_refuses_leaves_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int, _command: int, _size: int) -> int:
        raise PermissionError

    monkeypatch.setattr("fcntl.fcntl", refuse)
    before = descriptors(os.getpid())
    with pytest.raises(PermissionError):
        Pipe(SIZE)
    assert Pipes(1, SIZE).take() is None
    assert descriptors(os.getpid()) == before


def test_there_are_at_most_so_many_pipes_out(opened: list[Pipe]) -> None:
    pool = Pipes(2, SIZE)
    for _ in range(2):
        pipe = pool.take()
        assert pipe is not None
        opened.append(pipe)
    assert pool.take() is None
    assert pool.out == 2


def test_a_pipe_that_was_given_back_empty_is_the_next_ones() -> None:
    pool = Pipes(1, SIZE)
    pipe = pool.take()
    assert pipe is not None
    pool.give_back(pipe, empty=True)
    assert pool.out == 0
    assert pool.take() is pipe
    pool.give_back(pipe, empty=True)
    empty(pool)


def test_bytes_left_in_a_pipe_never_reach_the_next_one() -> None:
    pool = Pipes(1, SIZE)
    pipe = pool.take()
    assert pipe is not None
    os.write(pipe.writer, b"somebody's secret")
    pool.give_back(pipe, empty=False)
    following = pool.take()
    assert following is not None
    with pytest.raises(BlockingIOError):
        os.read(following.reader, 100)
    pool.give_back(following, empty=False)


def test_only_a_few_idle_pipes_are_kept() -> None:
    before = own_descriptors()
    pool = Pipes(3 * Pipes.KEPT, SIZE)
    taken = [pipe for _ in range(3 * Pipes.KEPT) if (pipe := pool.take())]
    assert descriptors(os.getpid()) == before + 2 * 3 * Pipes.KEPT
    for pipe in taken:
        pool.give_back(pipe, empty=True)
    assert descriptors(os.getpid()) == before + 2 * Pipes.KEPT
    empty(pool)


def limits(monkeypatch: pytest.MonkeyPatch, folder: Path, pages: str, size: str) -> None:
    """Let the kernel's files say so; an empty text is no file."""
    for name, text in (("_SOFT_LIMIT", pages), ("_MAX_SIZE", size)):
        path = folder / name
        if text:
            path.write_text(text, "ascii")
        monkeypatch.setattr(module, name, str(path))


@pytest.mark.parametrize(
    ("pages", "size", "workers", "most", "each"),
    [
        (f"{64 << 20 >> 12}\n", "1048576\n", 4, 16, 1 << 20),
        (f"{64 << 20 >> 12}\n", "1048576\n", 3, 21, 1 << 20),
        (f"{64 << 20 >> 12}\n", "65536\n", 4, 256, 65536),
        ("0\n", "1048576\n", 1, 256, 1 << 20),
        ("", "", 1, 256, 1 << 20),
        ("nonsense", "nonsense", 1, 256, 1 << 20),
        ("16\n", "1048576\n", 1, 0, 1 << 20),
    ],
)
def test_the_workers_share_what_the_kernel_grants(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pages: str, size: str, workers: int, most: int, each: int
) -> None:
    limits(monkeypatch, tmp_path, pages, size)
    pool = module.share(workers)
    assert (pool.most, pool.size) == (most * PAGE // 4096, each)


def test_with_no_pipe_to_be_had_none_is_taken() -> None:
    assert Pipes(0, SIZE).take() is None
