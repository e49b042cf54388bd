"""What happens when: a list made of a seed alone, so that a run can be repeated.

The kinds of events are dealt like cards: all of them come once, in any order, before any comes again. Some follow the
one before within milliseconds, so that a worker is killed while it takes over from another one.
"""

import enum
import random
from collections.abc import Collection
from dataclasses import dataclass


class What(enum.Enum):
    """An event, by the word that is printed, and that leaves it out."""

    HUP = "hup"
    HUP_TIMEOUT = "hup-timeout"
    HUP_LISTENER = "hup-listener"
    HUP_WORKERS = "hup-workers"
    USR2 = "usr2"
    KILL_WORKER = "kill-worker"
    KILL_CONTROL = "kill-control"
    KILL_SERVER = "kill-server"
    STOP_WORKER = "stop-worker"
    STOP_CLIENT = "stop-client"


FROZEN = {What.STOP_WORKER, What.STOP_CLIENT}

_PAUSES = (0.3, 1.7)
_AT_ONCE = (0.0, 0.05)
_AT_ONCE_SHARE = 0.25
_STOP = {What.STOP_WORKER: (0.1, 3.0), What.STOP_CLIENT: (0.1, 1.0), What.KILL_SERVER: (0.3, 2.0)}
_WORKERS = (1, 8)


@dataclass(frozen=True, slots=True)
class Planned:
    """One event."""

    at: float  # seconds from the beginning
    what: What
    which: int  # of those there are: this one, counted around
    seconds: float  # how long a process stands still, or a server is away


def chosen(without: Collection[str]) -> list[What]:
    """The events that are left: a word leaves out all that have it in their name."""
    return [what for what in What if not {what.value, *what.value.split("-")} & set(without)]


def words() -> set[str]:
    """All that `chosen` knows."""
    return {word for what in What for word in (what.value, *what.value.split("-"))}


def plan(seed: int, seconds: float, events: Collection[What]) -> list[Planned]:
    """What happens within *seconds*, in order; each of *events* at least once."""
    chance = random.Random(seed)
    planned: list[Planned] = []
    at = 0.0
    deck: list[What] = []
    pace = min(1.0, seconds / (len(events) + 1)) if events else 1.0
    while events:
        deck = deck or chance.sample(list(events), len(events))
        at += chance.uniform(*(_AT_ONCE if chance.random() < _AT_ONCE_SHARE else _PAUSES)) * pace
        if at > seconds and len(planned) >= len(events):
            break
        planned.append(_event(chance, at, deck.pop()))
    return planned


def _event(chance: random.Random, at: float, what: What) -> Planned:
    """With a number of its own, whatever it is for: a worker, a file, a count of workers."""
    which = chance.randint(*_WORKERS) if what is What.HUP_WORKERS else chance.randrange(1000)
    return Planned(at, what, which, chance.uniform(*_STOP[what]) if what in _STOP else 0.0)
