"""The events, one function each: does it, and says what it did, to whom, and what may be explained by it.

What they do later (a process goes on, a server is back) they leave to the timetable.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from signal import SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGUSR2, Signals

from tests.chaos import sockets
from tests.chaos.bed import Bed
from tests.chaos.event import Event
from tests.chaos.plan import Planned, What
from tests.kit import processes
from tests.kit.wait import wait_until

Later = Callable[[float, Callable[[], bool]], None]
"""In so many seconds do this, again and again until it is done."""


def happen(bed: Bed, planned: Planned, later: Later) -> Event:
    """Let it happen."""
    return _BY_KIND[planned.what](bed, planned, later)


def _reload(bed: Bed, planned: Planned, _later: Later) -> Event:
    """HUP, with the file as it is or with another one."""
    settings, said = bed.target.settings, "the same file"
    if planned.what is What.HUP_TIMEOUT:
        settings = replace(settings, idle_minutes=10 + planned.which)
        said = f"idle_timeout {settings.idle_minutes}m"
    if planned.what is What.HUP_LISTENER:
        settings = replace(settings, another_listener=not settings.another_listener)
        said = "another listener" if settings.another_listener else "that listener no more"
    if planned.what is What.HUP_WORKERS:
        settings = replace(settings, workers=planned.which)
        said = f"workers {settings.workers}"
    if settings != bed.target.settings:
        bed.target.write(settings)
    return _tell_master(bed, planned.what, SIGHUP, said)


def _upgrade(bed: Bed, planned: Planned, _later: Later) -> Event:
    return _tell_master(bed, planned.what, SIGUSR2, "")


def _tell_master(bed: Bed, what: What, number: Signals, said: str) -> Event:
    pid = bed.target.pid
    os.kill(pid, number)
    return Event(time.monotonic(), what, pid, said)


def _kill_worker(bed: Bed, planned: Planned, _later: Later) -> Event:
    """KILL a worker, having looked what it has while it stands still."""
    pid = _one_of(bed.target.workers(), planned)
    if not _stand_still(pid):
        return _nothing(planned, "there is none")
    sessions, pids, flows = _held_by(bed, pid)
    killed_at = time.monotonic()
    os.kill(pid, SIGKILL)
    said = f"it had {len(sessions)} TCP sessions, {len(flows)} UDP flows"
    return Event(killed_at, planned.what, pid, said, sessions=sessions, pids=pids, flows=flows)


def _held_by(bed: Bed, worker: int) -> tuple[frozenset[tuple[int, int]], frozenset[int], frozenset[int]]:
    """Of a worker: its TCP sessions, those of its clients that are processes of their own, and its UDP flows."""
    inodes, listeners = sockets.inodes_of(worker), set(bed.target.ports.values())
    connections = sockets.tcp()
    accepted = [each for each in connections if each.inode in inodes and each.port in listeners]
    sessions = frozenset((each.port, each.peer_port) for each in accepted)
    others = {each.inode for each in connections if (each.peer_port, each.port) in sessions}
    pgbenches = processes.children(bed.clients["pgbench"].pid)
    pids = frozenset(pid for pid in pgbenches if others & sockets.inodes_of(pid))
    return sessions, pids, frozenset(each.port for each in sockets.udp() if each.inode in inodes)


def _kill_control(bed: Bed, planned: Planned, _later: Later) -> Event:
    pid = _one_of(bed.target.control(), planned)
    if not pid:
        return _nothing(planned, "there is none")
    os.kill(pid, SIGKILL)
    return Event(time.monotonic(), planned.what, pid)


def _kill_server(bed: Bed, planned: Planned, later: Later) -> Event:
    """KILL a server, and have another process in its place after a while. One at a time is away."""
    if any(server.is_away for server in bed.servers):
        return _nothing(planned, "another one is away")
    server = bed.servers[planned.which % len(bed.servers)]
    pid = server.process.pid
    _stand_still(pid)
    where = server.address.host, server.address.port
    connections = sum((each.host, each.port) == where for each in sockets.tcp())
    said = f"{server.address}, away for {planned.seconds:.2f} s; it had {connections} connections"
    event = Event(time.monotonic(), planned.what, pid, said, until=float("inf"), connections=connections)
    event.listener = bed.target.ports["echo"]
    server.kill()
    event.gone = time.monotonic()

    def come_back() -> bool:
        event.until = time.monotonic() if server.come_back() else event.until
        return not server.is_away

    later(planned.seconds, come_back)
    return event


def _stop_worker(bed: Bed, planned: Planned, later: Later) -> Event:
    return _stop(planned, later, _one_of(bed.target.workers(), planned), "")


def _stop_client(bed: Bed, planned: Planned, later: Later) -> Event:
    client = list(bed.clients.values())[planned.which % len(bed.clients)]
    return _stop(planned, later, client.pid, f"{client.name}, ")


def _stop(planned: Planned, later: Later, pid: int, who: str) -> Event:
    """STOP a process, and let it go on after a while."""
    event = Event(time.monotonic(), planned.what, pid, f"{who}for {planned.seconds:.2f} s", until=float("inf"))
    if not _stand_still(pid):
        return _nothing(planned, "there is none")
    handle = os.pidfd_open(pid)  # its number may be another one's by then

    def go_on() -> bool:
        try:
            signal.pidfd_send_signal(handle, SIGCONT)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)
        event.until = time.monotonic()
        return True

    later(planned.seconds, go_on)
    return event


def _one_of(pids: list[int], planned: Planned) -> int:
    """The one that is meant, 0 if there is none."""
    return pids[planned.which % len(pids)] if pids else 0


def _stand_still(pid: int) -> bool:
    """STOP it, and wait until it has stopped; False when it is gone, or there is none."""
    if not pid:
        return False
    try:
        os.kill(pid, SIGSTOP)
        wait_until(f"process {pid} stands still", lambda: processes.state(pid) in {"T", "Z", ""})
    except ProcessLookupError:
        return False
    return processes.state(pid) == "T"


def _nothing(planned: Planned, why: str) -> Event:
    return Event(time.monotonic(), planned.what, text=f"nothing: {why}")


_BY_KIND: dict[What, Callable[[Bed, Planned, Later], Event]] = {
    What.HUP: _reload,
    What.HUP_TIMEOUT: _reload,
    What.HUP_LISTENER: _reload,
    What.HUP_WORKERS: _reload,
    What.USR2: _upgrade,
    What.KILL_WORKER: _kill_worker,
    What.KILL_CONTROL: _kill_control,
    What.KILL_SERVER: _kill_server,
    What.STOP_WORKER: _stop_worker,
    What.STOP_CLIENT: _stop_client,
}
