"""What all sessions of one listener share in one worker."""

from dataclasses import dataclass
from typing import Any, Protocol

from l4d.access.capacity import Capacity
from l4d.config.model import Listener, Upstream
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.session.ids import Ids
from l4d.stats.tally import ListenerTally
from l4d.terms import End
from l4d.upstream.pool import Pool


class Journal(Protocol):
    """Who is told of each session that is over (session/journal.py)."""

    def over(self, session: Any, end: End) -> None:
        """*session* is over."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """A listener at work: its settings, its upstream, and what it counts and logs in."""

    listener: Listener
    upstream: Upstream
    pool: Pool
    loop: Loop
    log: Log
    tally: ListenerTally
    capacity: Capacity
    ids: Ids
    journal: Journal
    worker: int  # the slot
    generation: int
