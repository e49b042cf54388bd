"""What a process costs, and what the kernel still holds for a socket."""

import fcntl
import os
import struct
import time
from pathlib import Path

from tests.kit.tcp import Peer
from tests.kit.wait import wait_until

_SIOCOUTQ = 0x5411  # bytes sent and not acknowledged yet (tcp(7))
_TICKS = os.sysconf("SC_CLK_TCK")
_FULL_FOR = 0.3


def cpu_seconds(pid: int) -> float:
    """The time on the CPU that the process has had so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def private_memory(pid: int) -> int:
    """The bytes that are this process's alone: what would be free if it ended."""
    return _sum_of(f"/proc/{pid}/smaps_rollup", "Private_Clean", "Private_Dirty")


def resident_memory(pid: int) -> int:
    """All bytes of the process that are in memory, shared ones too."""
    return _sum_of(f"/proc/{pid}/status", "VmRSS")


def status(pid: int, name: str) -> str:
    """One line of /proc/PID/status."""
    return _lines(f"/proc/{pid}/status")[name]


def pipes(pid: int) -> int:
    """How many ends of pipes the process has open, its standard streams aside."""
    links = [_link(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if int(fd.name) > 2]
    return len([link for link in links if link.startswith("pipe:")])


def wait_until_acknowledged(peer: Peer) -> None:
    """Until the kernel at the other end has all that *peer* has sent."""
    wait_until("all that was sent is acknowledged", lambda: unacknowledged(peer) == 0)


def unacknowledged(peer: Peer) -> int:
    """How many of the bytes sent have not reached the kernel at the other end, as far as ours knows."""
    number: int = struct.unpack("i", fcntl.ioctl(peer.socket, _SIOCOUTQ, bytes(4)))[0]
    return number


def send_until_full(peer: Peer, data: bytes) -> int:
    """Send of *data* what the other side takes, until it takes nothing for a while: how many bytes that is."""
    sent = 0
    peer.socket.settimeout(_FULL_FOR)
    try:
        while sent < len(data):
            sent += peer.socket.send(data[sent : sent + (1 << 18)])
    except TimeoutError:
        return sent
    raise AssertionError(f"all {sent} bytes were taken: nothing holds their sender")


def median_answer(peer: Peer, times: int = 300) -> float:
    """The median of so many round trips of a small message, in seconds."""
    took = []
    for _ in range(times):
        before = time.perf_counter()
        peer.send(b"x" * 64)
        peer.read(64)
        took.append(time.perf_counter() - before)
    return sorted(took)[len(took) // 2]


def _sum_of(path: str, *names: str) -> int:
    lines = _lines(path)
    return sum(int(lines[name].split()[0]) * 1024 for name in names)


def _lines(path: str) -> dict[str, str]:
    pairs = [line.partition(":") for line in Path(path).read_text("utf-8").splitlines()]
    return {name: value.strip() for name, _, value in pairs}


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except FileNotFoundError:
        return ""
