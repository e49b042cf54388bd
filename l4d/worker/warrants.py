"""Sessions that are to end as soon as they have arrived here from another worker.

Who is killed while on the way is in neither worker. So each worker remembers for a while what was to be killed, and
looks at those who come. And where the file says that a server which goes takes its sessions with it (on_down), those
end here whose server went while they were on the way, or is in the file of the worker they come from alone.
"""

from collections import deque
from typing import Final

from l4d.loop.loop import Loop
from l4d.session.filter import Filter
from l4d.session.session import Session
from l4d.session.stage import Stage
from l4d.tcp.relay import Relay
from l4d.udp.flow import Flow

KEPT: Final = 5.0
"""Seconds for which a kill is remembered: nobody is on the way for longer."""


class Warrants:
    """What was to be killed of late."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._kills: deque[tuple[Filter, float]] = deque()
        self._forgetting = loop.queue(KEPT, self._forget)
        self._arrived = loop.queue(0.0, Warrants._kill)
        self._orphans = loop.queue(0.0, Warrants._end)

    def issue(self, wanted: Filter, asked: float) -> None:
        """Sessions that are meant and had begun when this was *asked*, in monotonic seconds, are to be killed."""
        kill = wanted, asked
        self._kills.append(kill)
        self._forgetting.enter(kill, self._loop.now)

    def _forget(self, kill: tuple[Filter, float]) -> None:
        self._kills.remove(kill)

    def look(self, stage: Stage) -> None:
        """*stage* has arrived: with the next turn it is killed, if it was to be."""
        if any(is_meant(stage.session, wanted, asked) for wanted, asked in self._kills):
            self._arrived.enter(stage, self._loop.now)

    def orphan(self, stage: Relay | Flow) -> None:
        """*stage* has arrived, and its server is lost: with the next turn it ends."""
        self._orphans.enter(stage, self._loop.now)

    @staticmethod
    def _kill(stage: Stage) -> None:
        if stage.current:
            stage.kill()

    @staticmethod
    def _end(stage: Relay | Flow) -> None:
        server = stage.session.server
        end = server.lost if stage.current and server is not None else None
        if end is not None:  # else it is over by itself, or the server is back
            stage.server_lost(end)


def is_meant(session: Session, wanted: Filter, asked: float) -> bool:
    """Whether a kill that was *asked* for then is for this session: nobody is killed for having come since."""
    return session.started <= asked and wanted.matches(session, asked)
