"""One run: from the beginning, through all that happens, back to where it began, and the account of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP

from tests.chaos import snapshot
from tests.chaos.bed import CLIENTS, Bed
from tests.chaos.counters import Counters
from tests.chaos.event import Event
from tests.chaos.ledger import Account, Difference, account
from tests.chaos.options import Options
from tests.chaos.plan import What, chosen, plan
from tests.chaos.settings import FLOWS_IDLE, Settings
from tests.chaos.target import PATIENCE
from tests.chaos.timetable import Timetable

_LOOK_EVERY = 0.5
_CALM = 2.0
"""Seconds of traffic after all that has happened, in which everyone must be answered again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    began: float  # in monotonic seconds
    account: Account
    before: snapshot.Snapshot
    after: snapshot.Snapshot
    looks: int  # at the counters
    transactions: int  # that the database has

    @property
    def differences(self) -> list[Difference]:
        return self.account.differences


def run(options: Options, folder: Path, tell: Callable[[str], None]) -> Outcome:
    """Let it all happen; *tell* hears of it as it does. What is started is ended, whatever comes."""
    with Bed(options, folder) as bed:
        complaints = _wait("l4d has all its processes", bed.target.is_settled)
        before = snapshot.take(bed.target)
        counters = Counters(bed.target, folder)
        bed.start_traffic()
        began = time.monotonic()
        events = _let_happen(bed, options, counters, began, tell)
        complaints += _restore(bed, options, counters)
        bed.stop_traffic()
        after = _wait_idle(bed, before)
        ended = time.monotonic()
        complaints += bed.missing + counters.went_back + snapshot.compare(before, after) + _stop(bed)
        made = account(began, events, list(bed.facts()), CLIENTS)
        transactions = bed.transactions()
        complaints += _in_database(made, transactions)
    made.differences[:0] = [Difference("l4d", complaint, ended - began) for complaint in complaints]
    return Outcome(began, made, before, after, counters.looks, transactions)


def _let_happen(
    bed: Bed, options: Options, counters: Counters, began: float, tell: Callable[[str], None]
) -> list[Event]:
    """All that is planned, until every process that stood still goes on, and every server is back."""

    def tell_event(event: Event) -> None:
        tell(f"{event.at - began:8.3f}  {event.what.value:13} pid {event.pid:<8} {event.text}")

    planned = plan(options.seed, options.seconds, chosen(options.without))
    timetable = Timetable(bed, planned, began, tell_event)
    told = len(bed.target.generations())
    while not timetable.is_done:
        time.sleep(max(0.0, min(timetable.next - time.monotonic(), _LOOK_EVERY)))
        timetable.go_on()
        counters.look()
        bed.check()
        for generation in bed.target.generations()[told:]:
            told += 1
            tell(f"{time.monotonic() - began:8.3f}  l4d is ready   pid {bed.target.pid:<8} generation {generation}")
    return timetable.events


def _restore(bed: Bed, options: Options, counters: Counters) -> list[str]:
    """The first configuration again, by HUP unless there was none, and some calm; what did not come back is said."""
    complaints = []
    if What.HUP in chosen(options.without):
        before = len(bed.target.generations())
        bed.target.write(Settings())
        bed.target.signal(SIGHUP)
        complaints += _wait("the last generation is ready", lambda: len(bed.target.generations()) > before)
    complaints += _wait("the processes are those of the beginning", bed.target.is_settled)
    end = time.monotonic() + _CALM
    while (moment := time.monotonic()) < end:
        time.sleep(min(_LOOK_EVERY, end - moment))
        counters.look()
    return complaints


def _wait_idle(bed: Bed, before: snapshot.Snapshot) -> snapshot.Snapshot:
    """What l4d has when the last flow has ended, and idle descriptors are given back."""
    _wait("l4d is as idle as before", lambda: not snapshot.compare(before, snapshot.take(bed.target)), FLOWS_IDLE + 10)
    return snapshot.take(bed.target)


def _stop(bed: Bed) -> list[str]:
    try:
        bed.target.stop()
    except AssertionError as error:
        return [str(error).partition("\n")[0]]
    return []


def _in_database(made: Account, transactions: int) -> list[str]:
    """A broken round may have lost the answer to one transaction."""
    counts = made.tallies.get("pgbench", {})
    reported, broken = counts.get("transactions", 0), counts.get("broken", 0)
    if reported <= transactions <= reported + broken:
        return []
    return [f"pgbench was told of {reported:g} transactions, and the database has {transactions}"]


def _wait(what: str, condition: Callable[[], bool], timeout: float = PATIENCE) -> list[str]:
    """What was waited for in vain. Looking is no small work, so it is not done too often."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return [f"waited {timeout:g} s in vain until {what}"]
        time.sleep(_LOOK_EVERY)
    return []
