"""What work costs: time on the CPU of the proxy's processes and of the whole system.

The total of a process comes from /proc/PID/schedstat, which counts nanoseconds; /proc/PID/stat, which counts in
hundredths of a second, tells how it divides into user and system. Packets that arrive over loopback or veth are
handled in the time of whoever sent them, so a proxy's figure holds part of the receiver's work, and the whole
system's figure is the one that leaves nothing out (its own load makers and servers included).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the CPU."""

    user: float = 0.0
    system: float = 0.0

    @property
    def total(self) -> float:
        return self.user + self.system

    def since(self, before: "Cost") -> "Cost":
        return Cost(max(0.0, self.user - before.user), max(0.0, self.system - before.system))


@dataclass(frozen=True, slots=True)
class Spent:
    """The proxy's time so far, and everybody's."""

    proxy: Cost
    precise: float  # the proxy's total, to the nanosecond
    whole: Cost


def family(pid: int) -> list[int]:
    """The process and all that came from it."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def spent(pids: Sequence[int]) -> Spent:
    """What *pids* and the whole system have spent so far."""
    mine = [_of_process(pid) for pid in pids]
    proxy = Cost(sum(cost.user for cost in mine), sum(cost.system for cost in mine))
    return Spent(proxy, sum(_precise(pid) for pid in pids), _of_all())


def between(before: Spent, after: Spent) -> tuple[Cost, Cost]:
    """What the proxy and the whole system spent between the two."""
    coarse, precise = after.proxy.since(before.proxy), after.precise - before.precise
    scale = precise / coarse.total if coarse.total and precise > 0 else 1.0
    proxy = Cost(coarse.user * scale, coarse.system * scale) if coarse.total else Cost(0.0, max(0.0, precise))
    return proxy, after.whole.since(before.whole)


def _of_process(pid: int) -> Cost:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return Cost()
    return Cost(int(fields[11]) / _TICKS, int(fields[12]) / _TICKS)


def _precise(pid: int) -> float:
    """Of all its threads."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text("utf-8").split()[0]) for task in tasks) / 1e9
    except OSError:
        return 0.0


def _of_all() -> Cost:
    with Path("/proc/stat").open(encoding="utf-8") as file:
        user, nice, system, _idle, _iowait, irq, softirq = map(int, file.readline().split()[1:8])
    return Cost((user + nice) / _TICKS, (system + irq + softirq) / _TICKS)
