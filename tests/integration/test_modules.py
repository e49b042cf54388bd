"""What each process has in its memory: the libraries of control are control's alone."""

import subprocess
import sys
from pathlib import Path

from tests.integration.test_checks import control
from tests.kit import Echo, Start, wait_until
from tests.kit.command import ROOT, environment

HEAVY = ("asyncio", "aiohttp", "dns", "ssl", "asyncpg", "aiomysql")

_PROGRAM = f"""
import sys
import l4d.cli.main, l4d.master.master, l4d.master.daemon, l4d.master.check, l4d.worker.process, l4d.worker.worker
print(*sorted(set({HEAVY!r}) & set(sys.modules)))
"""


def test_what_master_and_workers_import_is_light() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment(), cwd=ROOT, capture_output=True, check=True
    )
    assert ended.stdout.decode().split() == []


def test_neither_the_master_nor_a_worker_maps_what_control_does(start: Start) -> None:
    with Echo("one") as one:
        daemon = start(f"""
            [resolver]
            nameservers = ["127.0.0.1:1"]

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}", "nowhere.test:80"]
            check = {{ type = "http", tls = true }}
        """)
        daemon.wait_log("is down: the check failed")
        wait_until("control has its libraries", lambda: heavy(control(daemon)))
        for pid in (daemon.pid, *daemon.workers()):
            assert heavy(pid) == []


def heavy(pid: int) -> list[str]:
    """The libraries of TLS and HTTP that the process has mapped."""
    files = {line.split()[-1] for line in Path(f"/proc/{pid}/maps").read_text().splitlines()}
    return sorted(file for file in files if any(word in file for word in ("/libssl", "/_ssl.", "/aiohttp/")))
