"""What all TCP sessions of one listener share beside the service: the movers' machinery and the deadlines."""

import random
from collections.abc import Iterator
from itertools import chain
from operator import methodcaller
from typing import Protocol

from l4d.handover.parcel import Parcel
from l4d.loop.deadlines import Deadlines
from l4d.movers.machinery import Machinery
from l4d.session.grain import grain
from l4d.session.lifetime import Lifetime
from l4d.session.service import Service
from l4d.session.stage import Stage
from l4d.terms import End
from l4d.upstream.server import Server

FAREWELL_LOOKS = (0.02, 0.1, 0.5)
"""After how many seconds it is looked whether a peer has everything that was sent to it: less and less often."""


class Movable(Protocol):
    """A stage of a session that another worker can go on with."""

    def hand_over(self) -> Parcel: ...


class Dialling(Stage, Protocol):
    """A dial, as its deadlines know it."""

    def try_timed_out(self) -> None: ...
    def tries_timed_out(self) -> None: ...
    def stop(self) -> None: ...


class Queueing(Movable, Stage, Protocol):
    """A session in the queue, as its deadline and the queue know it."""

    def wait_timed_out(self) -> None: ...
    def try_again(self) -> bool: ...
    def look_again(self) -> None: ...
    @property
    def choosy(self) -> bool: ...
    def stop(self) -> None: ...


class Relaying(Movable, Stage, Protocol):
    """A relay, as its deadlines know it."""

    def is_served_by(self, server: Server) -> bool: ...
    def server_lost(self, end: End) -> None:
        """The server went down, or was removed, and takes its sessions with it."""
        ...

    def not_early(self) -> None: ...
    def idle(self) -> None: ...
    def last_data_missing(self) -> None: ...
    def session_time_over(self) -> None: ...
    def stop(self) -> None: ...


class Leaving(Movable, Stage, Protocol):
    """A farewell, as its deadline knows it."""

    def look(self) -> None: ...
    def stop(self) -> None: ...


class TcpService:
    """A TCP listener at work."""

    def __init__(self, service: Service, machinery: Machinery, chance: random.Random) -> None:
        listener, upstream, loop = service.listener, service.upstream, service.loop
        self.service = service
        self.machinery = machinery
        self.connect: Deadlines[Dialling] = loop.queue(upstream.connect_timeout, methodcaller("try_timed_out"))
        self.tries: Deadlines[Dialling] = loop.queue(upstream.tries_timeout, methodcaller("tries_timed_out"))
        self.queued: Deadlines[Queueing] = loop.queue(upstream.queue_timeout, methodcaller("wait_timed_out"))
        """In the order they came: it is the queue, too."""
        self.early: Deadlines[Relaying] = loop.queue(upstream.early_close, methodcaller("not_early"))
        self.just_queued: Deadlines[Queueing] = loop.queue(0.0, methodcaller("look_again"))
        self.grain = grain(listener.idle_timeout, listener.half_close_timeout)
        self.idle: Deadlines[Relaying] = loop.queue(listener.idle_timeout + self.grain, methodcaller("idle"))
        self.half_close: Deadlines[Relaying] = loop.queue(
            listener.half_close_timeout + self.grain, methodcaller("last_data_missing")
        )
        self.leaving: list[Deadlines[Leaving]] = [loop.queue(pause, methodcaller("look")) for pause in FAREWELL_LOOKS]
        self.lifetime = Lifetime(loop, listener.max_session_time, chance)

    def forget_time(self, relay: Relaying) -> None:
        """*relay* is over: no deadline waits for it any more."""
        self.idle.leave(relay)
        self.half_close.leave(relay)
        self.lifetime.end(relay)

    def served_by(self, server: Server) -> Iterator[Relaying]:
        """Every relay to *server*."""
        return (relay for relay in (*self.idle, *self.half_close) if relay.is_served_by(server))

    def stages(self) -> Iterator[Stage]:
        """Every session of this listener. Each of them waits in one of these queues."""
        return chain(self.queued, self.tries, self.idle, self.half_close, *self.leaving)

    def stop(self) -> None:
        """End every session of this listener now."""
        for waiting in (*self.queued, *self.tries, *self.idle, *self.half_close, *chain.from_iterable(self.leaving)):
            waiting.stop()
