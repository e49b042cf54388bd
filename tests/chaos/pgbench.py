"""pgbench, in so many processes with one connection each, in rounds of a few seconds.

    python -m tests.chaos.pgbench PORT COUNT SECONDS

At the end of the input no further round begins, and the last ones are waited for. A transaction that was reported by a
round is one that the database has; of a broken round, one more may be there, whose answer was lost.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from signal import SIGKILL

from l4d.address import Inet
from tests.chaos.broken import ABORTED
from tests.chaos.facts import Broken, Ready, Tally, say
from tests.chaos.talk import SILENT_AFTER
from tests.chaos.turns import Turns
from tests.kit.needs import find_program
from tests.kit.servers import conninfo

_A_SECOND = 40  # transactions, of each process
_LOOK_EVERY = 0.05
_PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")
_FAILED = re.compile(r"number of failed transactions: [1-9]")


@dataclass(slots=True)
class Round:
    """One run of pgbench."""

    number: int
    begun: float
    process: "subprocess.Popen[str]"


class Rounds:
    """All of them."""

    def __init__(self, port: int, count: int, seconds: int) -> None:
        self._turns = Turns()
        self._port, self._count, self._seconds = port, count, seconds
        options = ["-n", "-c", "1", "-T", str(seconds), "-R", str(_A_SECOND)]
        self._line = [find_program("pgbench") or "pgbench", *options, conninfo(Inet("127.0.0.1", port))]
        self._running: list[Round] = []
        self._begun = self._broken = self._transactions = 0

    def run(self) -> None:
        say(Ready("pgbench"))
        while self._running or not self._turns.asked_to_end:
            while len(self._running) < self._count and not self._turns.asked_to_end:
                self._begin()
            self._turns.until(time.monotonic() + _LOOK_EVERY)
            for one in list(self._running):
                self._look_at(one)
        counts: dict[str, float] = {"begun": self._begun, "whole": self._begun - self._broken, "broken": self._broken}
        say(Tally("pgbench", counts | {"transactions": self._transactions}))

    def _begin(self) -> None:
        self._begun += 1
        environment = {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}
        pipe = subprocess.PIPE
        begun = time.monotonic()
        process = subprocess.Popen(
            self._line, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )
        self._running.append(Round(self._begun, begun, process))

    def _look_at(self, one: Round) -> None:
        if one.process.poll() is not None:
            self._end(one)
        elif time.monotonic() > one.begun + self._seconds + SILENT_AFTER:
            one.process.kill()  # it waits for an answer that does not come

    def _end(self, one: Round) -> None:
        self._running.remove(one)
        said, _ = one.process.communicate()
        processed = _PROCESSED.search(said)
        self._transactions += int(processed[1]) if processed else 0
        if one.process.returncode or _FAILED.search(said):
            self._broken += 1
            complaint = next((line for line in said.splitlines() if "error" in line or "fatal" in line), said[:200])
            now, pid = time.monotonic(), one.process.pid
            silent = one.process.returncode == -SIGKILL
            how = f"silent for {SILENT_AFTER:g} s" if silent else f"{ABORTED}: {complaint}"
            say(Broken("pgbench", one.number, self._port, one.begun, now, how, pid=pid))


if __name__ == "__main__":
    Rounds(*map(int, sys.argv[1:])).run()
