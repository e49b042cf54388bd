"""What checks cost: five hundred servers, each asked once a second."""

import asyncio
import random
import time

from l4d.health.checker import Checker
from l4d.health.make import make_probe
from l4d.health.probe import Known, Target
from l4d.log.log import Log
from l4d.log.sinks import Sink
from l4d.stats.standing import Verdict
from l4d.terms import CheckType, Level, ServerState
from tests.kit.accepting import Accepting
from tests.kit.scripted import nothing_left
from tests.unit.health.making import make_check

SERVERS = 500
SECONDS = 5.0


class Counted:
    """Reports that are only counted."""

    def __init__(self) -> None:
        self.good = 0
        self.bad = 0

    def checked(self, target: Target, well: bool, why: str) -> None:
        self.good += well
        self.bad += not well

    def judged(self, target: Target, verdict: Verdict, why: str) -> None: ...

    def wanted(self, target: Target, state: ServerState | None, percent: int | None) -> None: ...


class Nowhere:
    def write(self, level: Level, who: str, text: str) -> bool:
        raise AssertionError(text)


def test_five_hundred_servers_a_second_take_a_small_part_of_a_core() -> None:
    async def conversation(server: Accepting) -> None:
        check = make_check(CheckType.TCP, interval=1.0)
        counted = Counted()
        sink: Sink = Nowhere()  # type: ignore[assignment]
        async with nothing_left():
            checker = Checker(check, make_probe(check), counted, Log(sink, Level.INFO, "control"), random.Random(1))
            for number in range(SERVERS):
                checker.watch(Target("web", str(number), server.address), Known(Verdict.UNKNOWN))
            await asyncio.sleep(1.5)  # all have been asked once
            before, began, asked = time.process_time(), time.monotonic(), counted.good
            await asyncio.sleep(SECONDS)
            seconds = time.monotonic() - began
            share, asked = (time.process_time() - before) / seconds, counted.good - asked
            await checker.close()
        print(f"{share:.1%} of a core for {asked / seconds:.0f} checks a second")
        assert counted.bad == 0
        assert asked >= 0.5 * SERVERS * SECONDS  # these machines stall
        assert share < 0.5

    with Accepting() as server:
        asyncio.run(conversation(server))
