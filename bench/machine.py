"""What was measured, on what: versions, kernel, CPU, commit."""

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.configs import descriptors
from bench.programs import ROOT, find_program

_VERSIONS = {
    "nginx": ("-v",),
    "haproxy": ("-v",),
    "iperf3": ("-v",),
    "wrk": ("-v",),
    "redis-server": ("-v",),
    "redis-benchmark": ("--version",),
    "dnsperf": ("-h",),
    "unbound": ("-V",),
}


def describe(command: Sequence[str]) -> dict[str, Any]:
    """The machine, and what is on it. *command* starts l4d."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(),
        "l4d": _first_line([*command, "-v"]),
        "python": platform.python_version(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu(),
        "cpus": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "descriptors": descriptors(),
        "programs": {name: _version(name, words) for name, words in _VERSIONS.items()},
    }


def _commit() -> str:
    """With a plus sign where files differ from it."""
    commit = _first_line(["git", "-C", str(ROOT), "rev-parse", "HEAD"])
    changed = _first_line(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"])
    return commit + ("+" if changed else "")


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str, words: Sequence[str]) -> str:
    program = find_program(name)
    return _first_line([program, *words], "ersion", name) if program else ""


def _first_line(line: Sequence[str], *with_one_of: str) -> str:
    """The first line a program says, or the first with one of those words."""
    try:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=10, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (done.stdout + done.stderr).splitlines()
    told = [each for each in lines if any(word in each for word in with_one_of)] or lines
    return told[0].strip() if told else ""
