"""What a run has to show, as text."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.chaos import snapshot
from tests.chaos.event import DEADLY
from tests.chaos.ledger import Account, Difference
from tests.chaos.run import Outcome

_AT_MOST = 20
"""Differences of a kind that are printed; the others are counted."""

_SESSIONS = {"long": "long TCP sessions", "short": "short TCP sessions", "download": "downloads"}


def text(outcome: Outcome) -> str:
    """The whole report."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    yield "sent and come back"
    yield from _traffic(outcome)
    yield "explained"
    yield from _explained(outcome.account, outcome.began)
    yield "l4d"
    yield f"  at the beginning  {snapshot.in_words(outcome.before)}"
    yield f"  at the end        {snapshot.in_words(outcome.after)}"
    looks = f"were looked at {outcome.looks} times" if outcome.looks else "were not looked at: only root may"
    yield f"  its counters {looks}"
    yield from _differences(outcome.differences)


def _traffic(outcome: Outcome) -> Iterator[str]:
    tallies = outcome.account.tallies
    for who, name in _SESSIONS.items():
        if who in tallies:
            yield _line(name, _sessions(tallies[who], outcome.began))
    if "flows" in tallies:
        yield _line("UDP flows", _flows(tallies["flows"], outcome.began))
    if "pgbench" in tallies:
        yield _line("pgbench", _pgbench(tallies["pgbench"], outcome.transactions))


def _line(name: str, words: str) -> str:
    return f"  {name:18}  {words}"


def _sessions(counts: Mapping[str, float], began: float) -> str:
    ended = f"{counts['begun']:g} begun, {counts['whole']:g} whole, {counts['broken']:g} broken"
    return f"{ended}; {counts['sent']:,.0f} bytes sent, {counts['received']:,.0f} came back{_longest(counts, began)}"


def _flows(counts: Mapping[str, float], began: float) -> str:
    datagrams = f"{counts['datagrams']:g} datagrams sent, {counts['back']:g} came back, {counts['lost']:g} lost"
    return (
        f"{counts['clients']:g} clients: {datagrams}; {counts['flows']:g} flows at the servers{_longest(counts, began)}"
    )


def _pgbench(counts: Mapping[str, float], transactions: int) -> str:
    ended = f"{counts['begun']:g} rounds, {counts['whole']:g} whole, {counts['broken']:g} broken"
    return f"{ended}; {counts['transactions']:g} transactions reported, the database has {transactions}"


def _longest(counts: Mapping[str, float], began: float) -> str:
    if not counts["longest_wait"]:
        return ""
    return f"; longest wait {counts['longest_wait']:.2f} s, at {counts['longest_at'] - began:.3f}"


def _explained(account: Account, began: float) -> Iterator[str]:
    """By event; those that may end sessions are named even when they have ended none."""
    total: Counter[str] = Counter()
    for event, ended in account.explained:
        total += ended
        if event.what in DEADLY and event.pid:
            yield f"  {event.at - began:8.3f}  {event.what.value:13} pid {event.pid:<8} {_counted(ended)}"
    yield f"  together  {_counted(total)}"


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counter.items())) or "nothing"


def _differences(differences: Sequence[Difference]) -> Iterator[str]:
    if not differences:
        yield "all is accounted for"
        return
    kinds = Counter(each.kind for each in differences)
    yield f"{len(differences)} differences that nothing explains: {_counted(kinds)}"
    for kind in kinds:
        found = sorted((each for each in differences if each.kind == kind), key=lambda each: each.at)
        yield from (f"  {each.at:8.3f}  {kind:13} {each.text}" for each in found[:_AT_MOST])
        if len(found) > _AT_MOST:
            yield f"            {kind:13} and {len(found) - _AT_MOST} more"
