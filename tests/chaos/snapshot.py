"""What l4d has at one moment, and whether it has the same later."""

from collections import Counter
from dataclasses import dataclass

from l4d.linux.pipes import Pipes
from tests.chaos.target import Target
from tests.kit.measure import pipes, private_memory
from tests.kit.processes import descriptors

TOLERANCE = 6 << 20
"""Bytes of its own that a process may have more at the end than at the beginning, before there was any traffic."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, idle."""

    role: str
    descriptors: int  # without pipes
    pipes: int  # ends of them
    memory: int  # bytes that are its own


Snapshot = list[Process]


def take(target: Target) -> Snapshot:
    """What it has now."""
    found = [process for pid, title in target.processes().items() if (process := _look_at(pid, title))]
    return sorted(found, key=lambda process: (process.role, process.descriptors))


def _look_at(pid: int, title: str) -> Process | None:
    """None: it has gone meanwhile."""
    role = title.split()[1] if title.startswith("l4d: ") else title
    try:
        return Process(role, descriptors(pid) - pipes(pid), pipes(pid), private_memory(pid))
    except (FileNotFoundError, ProcessLookupError):
        return None


def compare(before: Snapshot, after: Snapshot) -> list[str]:
    """What is not as it was. A worker keeps some pipes for the next who has much to send."""
    found = []
    if (roles := _roles(before)) != _roles(after):
        return [f"the processes were {dict(roles)}, and are {dict(_roles(after))}"]
    for was, now in zip(before, after, strict=True):
        if was.descriptors != now.descriptors:
            found.append(f"a {was.role} had {was.descriptors} descriptors, and has {now.descriptors}")
        if now.pipes > was.pipes + 2 * Pipes.KEPT:
            found.append(f"a {was.role} had {was.pipes} ends of pipes, and has {now.pipes}")
        if now.memory > was.memory + TOLERANCE:
            found.append(f"a {was.role} had {was.memory >> 10} KiB of its own, and has {now.memory >> 10}")
    return found


def in_words(snapshot: Snapshot) -> str:
    return ", ".join(
        f"{each.role} {each.descriptors + each.pipes} fds {each.memory / (1 << 20):.1f} MiB" for each in snapshot
    )


def _roles(snapshot: Snapshot) -> Counter[str]:
    return Counter(process.role for process in snapshot)
