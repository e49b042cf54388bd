"""What was sent, what came back, and what explains the difference. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.broken import Deaths
from tests.chaos.event import Event
from tests.chaos.facts import Broken, Fact, Flow, Tally, Wrong
from tests.chaos.lost import judge


class Difference(NamedTuple):
    """Something that nothing explains."""

    kind: str  # long, short, flows ..., l4d
    text: str
    at: float = 0.0  # seconds from the beginning


@dataclass(slots=True)
class Account:
    """The ledger, closed."""

    tallies: dict[str, dict[str, float]] = field(default_factory=dict)
    explained: list[tuple[Event, Counter[str]]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def account(began: float, events: Sequence[Event], facts: Sequence[Fact], expected: Sequence[str]) -> Account:
    """Times in words count from *began*. A tally is *expected* of each of these."""
    made = Account(explained=[(event, Counter()) for event in events])
    by_event = {id(event): counter for event, counter in made.explained}
    _add_tallies(made, facts, expected)
    for wrong in [fact for fact in facts if isinstance(fact, Wrong)]:
        made.differences.append(Difference(wrong.who, wrong.what, wrong.at - began))
    for session, event in Deaths(events).explain([fact for fact in facts if isinstance(fact, Broken)]):
        if event:
            by_event[id(event)][session.kind] += 1
        else:
            made.differences.append(Difference(session.kind, _in_words(session, began), session.ended - began))
    for flow in [fact for fact in facts if isinstance(fact, Flow)]:
        judged = judge(flow, events)
        for event, what in judged.explained:
            by_event[id(event)][what] += 1
        for number, what in judged.differences:
            text = f"flow {flow.number}, datagram {number}: {what}"
            made.differences.append(Difference("flows", text, flow.sent[number] - began))
    return made


def _add_tallies(made: Account, facts: Sequence[Fact], expected: Sequence[str]) -> None:
    for tally in [fact for fact in facts if isinstance(fact, Tally)]:
        made.tallies[tally.who] = tally.counts
    flows = [fact for fact in facts if isinstance(fact, Flow)]
    if flows:
        made.tallies["flows"] = _tally_of(flows)
    silent = [who for who in expected if who not in made.tallies]
    made.differences += [Difference(who, "it has not said what came of it") for who in silent]
    reported = Counter(fact.kind for fact in facts if isinstance(fact, Broken))
    for who, counts in made.tallies.items():
        begun, ended = counts.get("begun", 0), counts.get("whole", 0) + counts.get("broken", 0)
        if begun != ended or reported[who] != counts.get("broken", 0):
            what = f"its numbers do not add up: {counts}, and {reported[who]} were reported as broken"
            made.differences.append(Difference(who, what))


def _tally_of(flows: Sequence[Flow]) -> dict[str, float]:
    sent, lost = sum(len(flow.sent) for flow in flows), sum(len(flow.lost) for flow in flows)
    longest = max(flows, key=lambda flow: flow.longest_wait)
    return {
        "clients": len(flows),
        "flows": sum(len(flow.segments) for flow in flows),
        "datagrams": sent,
        "back": sent - lost,
        "lost": lost,
        "longest_wait": longest.longest_wait,
        "longest_at": longest.longest_at,
    }


def _in_words(session: Broken, began: float) -> str:
    client = f"pid {session.pid}" if session.pid else f"port {session.port}"
    server = f", server pid {session.server}" if session.server else ", not greeted yet"
    age = f"begun at {session.begun - began:.3f}"
    return f"session {session.number} ({client}, {age}{server if session.port else ''}): {session.how}"
