"""What memory is held: by the proxy's processes, and by the kernel.

The processes' is their proportional set size: shared pages are counted once. The kernel's is what grows in
/proc/meminfo's Slab and KernelStack and PageTables (sockets, epoll items, descriptors' tables, the rings of pipes) and
in the pages sockets hold (/proc/net/sockstat, whose "mem" counts for all namespaces together).
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

_PAGE = 4096
_OF_KERNEL = ("Slab", "KernelStack", "PageTables", "VmallocUsed")


def of_processes(pids: Sequence[int]) -> int:
    """Bytes."""
    return sum(_kilobytes(f"/proc/{pid}/smaps_rollup", ("Pss",)) for pid in pids) * 1024


def of_kernel() -> int:
    """Bytes, of the whole system."""
    return _kilobytes("/proc/meminfo", _OF_KERNEL) * 1024 + _socket_pages() * _PAGE


def _kilobytes(path: str, names: Sequence[str]) -> int:
    pairs = [line.partition(":") for line in Path(path).read_text("utf-8").splitlines()]
    lines = {name: value.split() for name, _, value in pairs}
    return sum(int(lines[name][0]) for name in names if name in lines)


def _socket_pages() -> int:
    words = Path("/proc/net/sockstat").read_text("utf-8").split()
    return sum(int(after) for word, after in pairwise(words) if word == "mem")
