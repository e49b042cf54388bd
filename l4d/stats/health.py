"""Whether l4d itself is well, from what its processes say of themselves on the board. Its servers do not count."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from l4d.stats.catalogue import SLOW_TURN
from l4d.stats.process import Process, present, serving
from l4d.terms import WorkerState

OLDEST_HEARTBEAT = 2.5
"""Seconds. A process that is well has one twice a second."""

SLOW = 0.01
"""Workers are slow if more than this part of their recent turns take longer than SLOW_TURN."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong, in words, the gravest first."""

    failures: tuple[str, ...]
    """Somebody is not served."""

    warnings: tuple[str, ...]
    """All are served, but not as they should be."""

    @property
    def healthy(self) -> bool:
        """Whether everybody is served."""
        return not self.failures

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong."""
        return self.failures + self.warnings


def judge(
    processes: Sequence[Process], now: float, slow: Mapping[int, float], lately: Collection[int] = frozenset()
) -> Health:
    """How l4d is *now*, in monotonic seconds.

    *slow* has, by slot, what part of the recent turns of the slot's worker took longer than SLOW_TURN. *lately* has the
    slots in which a worker served not longer than OLDEST_HEARTBEAT ago; so long it is not missed. At a reload it may
    have stopped a moment before the next one begins, one that died is replaced at once, and clients wait in the kernel.
    """
    newest = serving(processes)
    followed = any(each.is_worker and each.state is WorkerState.STARTING for each in processes)
    if not newest and not (lately and followed):
        return Health(("no worker serves",), ())
    # At a reload some slots have the next worker already, and others the last one yet.
    all_serving = sorted((each for each in processes if each.serves), key=lambda worker: worker.generation)
    by_slot = {worker.slot: worker for worker in all_serving}
    slots = set(range(newest[0].slots if newest else 0)) - (set(lately) - by_slot.keys())
    failures = [words for slot in sorted(slots) for words in _of_slot(slot, by_slot.get(slot), now)]
    failures += (f"control (pid {each.pid}){_silence(each, now)}" for each in processes if _hangs(each, now))
    warnings = [
        f"worker {slot}: {part:.0%} of its turns took longer than {SLOW_TURN * 1000:g} ms"
        for slot, part in sorted(slow.items())
        if part > SLOW
    ]
    return Health(tuple(failures), tuple(warnings))


def about_to_serve(processes: Sequence[Process]) -> set[int]:
    """The slots of workers that are only starting while there are others: not those of an l4d that has never served."""
    starting = {each.slot for each in processes if each.is_worker and each.state is WorkerState.STARTING}
    return starting if present(processes) else set()


def _of_slot(slot: int, worker: Process | None, now: float) -> Iterator[str]:
    if worker is None:
        yield f"worker {slot} does not serve"
    elif _is_silent(worker, now):
        yield f"worker {slot} (pid {worker.pid}){_silence(worker, now)}"
    elif worker.state is WorkerState.FULL:
        yield f"worker {slot} (pid {worker.pid}) has no room for another session (max_sessions, rlimit_nofile)"


def _hangs(process: Process, now: float) -> bool:
    """Whether it is control, and does not turn."""
    return not process.is_worker and _is_silent(process, now)


def _is_silent(process: Process, now: float) -> bool:
    return now - process.heartbeat > OLDEST_HEARTBEAT


def _silence(process: Process, now: float) -> str:
    return f" has not been heard of for {now - process.heartbeat:.1f} s"
