"""No byte of one session ever reaches another, whatever happens meanwhile."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from signal import SIGKILL

import pytest

from tests.kit import Daemon, Start, wait_until
from tests.kit.command import ROOT
from tests.kit.tagged import AT_ONCE

SESSIONS = int(os.environ.get("L4D_TEST_SESSIONS", "100000"))
VISITORS = 2
THOUSANDS_BETWEEN = 4
"""How many sessions pass between a kill and a reload."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_byte_is_in_the_wrong_place_amid_churn_kills_and_reloads(start: Start) -> None:
    share = SESSIONS // VISITORS
    with tagged("serve") as server, ThreadPoolExecutor() as threads:
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"
            send_buffer = "16k"

            [upstreams.web]
            servers = ["127.0.0.1:{heard(server)}"]
        """)
        port = str(daemon.address().sockaddr[1])
        progress = Progress()
        reports = [threads.submit(progress.of_visitor, port, share, number) for number in range(VISITORS)]
        kills = 0
        while progress.goes_on(reports):
            kill_one(daemon)
            kills += 1
            if progress.goes_on(reports):
                daemon.reload()
        outcomes = sum((report.result() for report in reports), Counter())
        assert server.poll() is None, "the server met a byte in the wrong place"
    print(f"{dict(outcomes)}, {kills} workers killed, {daemon.generation()} generations")
    assert kills > 1
    assert outcomes.total() == share * VISITORS
    assert outcomes["refused"] == 0
    assert outcomes["cut"] <= kills * AT_ONCE * VISITORS, "only sessions of killed workers may be cut"


class Progress:
    """How far the visitors are."""

    def __init__(self) -> None:
        self._thousands = 0

    def of_visitor(self, port: str, sessions: int, number: int) -> Counter[str]:
        """What came of one visitor's sessions."""
        with tagged("visit", port, str(sessions), str(number * sessions)) as visitor:
            while (line := heard(visitor)) == "":
                self._thousands += 1
        return Counter(json.loads(line))

    def goes_on(self, reports: list["Future[Counter[str]]"]) -> bool:
        """Wait for some progress; False when the visitors are done."""
        goal = self._thousands + THOUSANDS_BETWEEN

        def is_done() -> bool:
            return all(report.done() for report in reports)

        wait_until("the visitors have made progress", lambda: self._thousands >= goal or is_done(), timeout=60)
        return not is_done()


@contextmanager
def tagged(*args: str) -> Iterator["subprocess.Popen[str]"]:
    """A server or a visitor of tests/kit/tagged.py."""
    line = [sys.executable, "-m", "tests.kit.tagged", *args]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, bufsize=1, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: "subprocess.Popen[str]") -> str:
    """One line of what it says. When it found a byte in the wrong place it has died, with words on standard error."""
    assert process.stdout
    line = process.stdout.readline()
    assert line, "it has died"
    return line.strip()


def kill_one(daemon: Daemon) -> None:
    victim = daemon.workers()[0]
    os.kill(victim, SIGKILL)
    wait_until("it is replaced", lambda: len(set(daemon.workers()) - {victim}) == 2)
