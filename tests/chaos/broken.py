"""Which event explains a broken session. Pure.

A killed worker explains the sessions that it had, which are known by their ports. A killed server explains those that
it had greeted, which are known by its pid; a session that nobody has greeted yet can be one of those it had, as long as
it had that many, or one that the kernel took for it while it died. Whoever is refused, hears nothing any more, or hears
a wrong byte is explained by nobody's death.
"""

from collections.abc import Sequence

from tests.chaos.event import Event, deadly, stops
from tests.chaos.facts import Broken
from tests.chaos.plan import What

YOUNG = 1.0
"""Seconds. A session no older may have been given to a server after the look at its connections, while it died."""

ABORTED = "aborted"
"""How a session of a client that is a process of its own broke, as its first word."""


class Deaths:
    """All that have died, and the sessions that each of them explains so far."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._deaths = deadly(events)
        self._stops = stops(events)
        self._room = {id(event): event.connections for event in self._deaths}

    def explain(self, sessions: Sequence[Broken]) -> list[tuple[Broken, Event | None]]:
        """Each with the event that ended it. Those that were greeted come first: they leave the others less room."""
        ordered = sorted(sessions, key=lambda session: (not session.server, session.ended))
        return [(session, self._explain(session)) for session in ordered]

    def _explain(self, session: Broken) -> Event | None:
        if session.how not in {"closed", "reset"} and not session.how.startswith(ABORTED):
            return None
        return next((death for death in self._deaths if self._ended(death, session)), None)

    def _ended(self, death: Event, session: Broken) -> bool:
        if death.what is What.KILL_WORKER:
            had = (session.listener, session.port) in death.sessions or session.pid in death.pids
            return had and session.begun <= death.at <= session.ended
        if session.listener != death.listener or session.server not in {0, death.pid} or session.ended < death.at:
            return False
        if not session.server and session.begun > self._youth(death):
            return session.begun <= death.gone
        self._room[id(death)] -= 1
        return self._room[id(death)] >= 0

    def _youth(self, death: Event) -> float:
        """Who came later was young then. Time in which a process stood still right before does not count."""
        just_over = [stop.at for stop in self._stops if death.at - YOUNG <= stop.until <= death.gone]
        return min([death.at, *just_over]) - YOUNG
