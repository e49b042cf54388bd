"""Which event explains a lost datagram, or that a flow has another source port at its server. Pure.

    datagram   0 1 2 3 4 | 5 6 | 7 8 9 ...
    answered   a a a a a   - -   b b b         a, b: segments; a source port, and the pid of the server that saw it
                         ^     ^
                      the gap between them

A gap must have a cause: the death of the worker that had source port a, or of the server that answered. Only in a gap
may datagrams be lost, and only those that were sent before the death, since l4d keeps what waits for a worker. With a
server it is a little longer: UDP has no other way to find out that nobody is there than to send, and be refused.

Within a segment a datagram may be lost with a worker that dies just then: while generations change, one passes on to
the other what comes from clients whose flows have moved.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from tests.chaos.event import Event, deadly, stops
from tests.chaos.facts import Flow, Segment
from tests.chaos.plan import What

NOTICE = 0.5
"""Seconds within which l4d finds out that a server refuses, from the first datagram on that it has for it."""


HELD = 0.5
"""Seconds for which a worker may have a datagram before it is with the flow's worker, while generations change."""


DYING = 0.1
"""Seconds after which the kernel has closed what a killed worker had; until then it is given datagrams."""


@dataclass(slots=True)
class Judged:
    """What came of a flow."""

    explained: list[tuple[Event, str]] = field(default_factory=list)  # "flows" or "datagrams"
    differences: list[tuple[int, str]] = field(default_factory=list)  # the number of a datagram, and what is with it


def judge(flow: Flow, events: Sequence[Event]) -> Judged:
    """What explains that something is missing of *flow*, and what nothing explains."""
    judged = Judged()
    judged.differences += [(number, "it was answered twice") for number in flow.doubled]
    judged.differences += [(number, "it was answered after a later one") for number in flow.disordered]
    first = flow.segments[0].first if flow.segments else math.inf
    judged.differences += [(number, "it was lost before any answer") for number in flow.lost if number < first]
    for segment, following in zip_longest(flow.segments, flow.segments[1:]):
        end = following.first if following else math.inf
        lost = [number for number in flow.lost if segment.first < number < end]
        amid = f"it was lost, though later ones came back by the same source port {segment.port}"
        for number in [number for number in lost if number < segment.last]:
            holder = _holder(flow.sent[number], events)
            if holder is None:
                judged.differences.append((number, amid))
            else:
                judged.explained.append((holder, "datagrams"))
        _judge_gap(judged, flow, segment, following, [number for number in lost if number > segment.last], events)
    return judged


def _judge_gap(
    judged: Judged, flow: Flow, before: Segment, after: Segment | None, lost: list[int], events: Sequence[Event]
) -> None:
    """What lies between two segments; behind the last one there is only what was *lost*, if anything."""
    if not after and not lost:
        return
    until = after.since if after else math.inf
    cause = next(
        (death for death in deadly(events) if _ends(death, before) and before.last_sent <= death.at <= until), None
    )
    if not cause:
        judged.differences += [(after.first, _changed(before, after))] if after else []
        judged.differences += [(number, "it was lost") for number in lost]
        return
    judged.explained.append((cause, "flows"))
    reach = _reach(flow, cause, until, events)
    for number in lost:
        if flow.sent[number] <= reach:
            judged.explained.append((cause, "datagrams"))
        else:
            late = flow.sent[number] - cause.at
            judged.differences.append((number, f"it was sent {late:.2f} s after a death, and lost"))


def _holder(sent: float, events: Sequence[Event]) -> Event | None:
    """The death of a worker that may have had the datagram in its hands: passed on to it, or to be passed on by it."""
    for death in deadly(events):
        if death.what is What.KILL_WORKER and _stood_since(death.at - HELD, events) <= sent <= death.at + DYING:
            return death
    return None


def _stood_since(moment: float, events: Sequence[Event]) -> float:
    """*moment*, or when a process began to stand still that did so then: what it has waits."""
    return min([moment, *(stop.at for stop in stops(events) if stop.at <= moment <= stop.until)])


def _ends(death: Event, segment: Segment) -> bool:
    if death.what is What.KILL_WORKER:
        return segment.port in death.flows
    return segment.server == death.pid


def _reach(flow: Flow, cause: Event, until: float, events: Sequence[Event]) -> float:
    """The moment up to which datagrams may be lost. The next worker, too, may die, and the next server may be away."""
    reaches = [cause.at + (DYING if cause.what is What.KILL_WORKER else 0.0)]
    for death in deadly(events):
        if death.what is What.KILL_WORKER and cause.at <= death.at <= until:
            reaches.append(death.at + DYING)
        if death.what is What.KILL_SERVER and death.at <= until and death.until >= cause.at:
            reaches.append(_noticed(flow, max(cause.at, death.at), events))
    return max(reaches)


def _noticed(flow: Flow, since: float, events: Sequence[Event]) -> float:
    """When l4d must know that a server refuses, which it did *since* then; later if a process stood still meanwhile."""
    noticed = next((sent for sent in flow.sent if sent > since), since) + NOTICE
    for stop in sorted(stops(events), key=lambda stop: stop.at):
        if stop.at <= noticed and stop.until >= since:
            noticed = max(noticed, stop.until + NOTICE)
    return noticed


def _changed(before: Segment, after: Segment) -> str:
    whom = "" if before.server == after.server else f", and the server from pid {before.server} to {after.server}"
    return f"the source port at the server went from {before.port} to {after.port}{whom}"
