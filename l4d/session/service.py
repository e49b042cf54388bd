"""What all sessions of one listener share in one worker."""

from dataclasses import dataclass

from l4d.access.capacity import Capacity
from l4d.config.model import Listener, Upstream
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.stats.tally import ListenerTally
from l4d.upstream.pool import Pool


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
