"""What control asks of a worker, and how it is found out: one errand for each kind of inquiry (inquiry.py)."""

import time
from collections.abc import Callable

from l4d.handover.record import Json
from l4d.loop.loop import Loop
from l4d.session.facts import facts_of
from l4d.session.filter import Filter
from l4d.session.stage import Stage
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.census import walk
from l4d.worker.explaining import explain
from l4d.worker.inquiry import Errand
from l4d.worker.services import Services
from l4d.worker.warrants import is_meant

MOST_TOLD = 20
"""Sessions, or servers, in one message: with the longest names and paths, each letter of them twelve in JSON, half of
what a message may have."""

MOST_KILLED = 200
"""After so many it is said that the killing goes on."""


class Errands:
    """All that a worker can be asked."""

    def __init__(self, assignment: WorkerAssignment, loop: Loop, services: Services) -> None:
        self._slot = assignment.slot
        self._loop = loop
        self._services = services
        self._known: dict[object, Callable[[Json], Errand]] = {
            "sessions": self._sessions,
            "kill": self._kill,
            "newest": self._newest,
            "explain": self._explain,
        }

    def begin(self, ask: Json) -> Errand:
        """Take an inquiry up. Raises ValueError, KeyError or TypeError: it is none that can be."""
        kind = ask.get("ask")
        if kind not in self._known:
            raise ValueError(f"{kind!r:.40} cannot be asked of this version")
        return self._known[kind](ask)

    def _sessions(self, ask: Json) -> Errand:
        """Those that match, as many as are wanted; and how many there are."""
        wanted, limit = Filter(ask["filter"]), int(ask["limit"])
        total = 0
        items: list[Json] = []
        for stage in walk(self._services):
            if stage is not None and wanted.matches(stage.session, self._loop.now):
                total += 1
                if total <= limit:
                    items.append(self._facts(stage))
            if len(items) == MOST_TOLD:
                yield {"items": items}
                items = []
            else:
                yield None
        yield {"items": items}
        yield {"done": {"total": total}}

    def _facts(self, stage: Stage) -> Json:
        session, now = stage.session, self._loop.now
        facts: Json = facts_of(session, now, _wall_at(now))
        up, down = stage.moved
        facts["bytes_up"] += up
        facts["bytes_down"] += down
        facts["phase"] = stage.phase
        facts["idle_ms"] = round(max(0.0, now - stage.silent_since) * 1000, 3)
        facts["retired"] = self._services.has_retired(session)
        return facts

    def _newest(self, ask: Json) -> Errand:
        """The sessions that ended last, the newest first."""
        newest = list(self._services.journals.newest)[: -1 - int(ask["limit"]) : -1]
        for begin in range(0, len(newest), MOST_TOLD):
            some = newest[begin : begin + MOST_TOLD]
            yield {"items": [{**facts_of(session, at, _wall_at(at), end), "ended": at} for session, end, at in some]}
        yield {"done": {"total": len(newest)}}

    def _explain(self, ask: Json) -> Errand:
        """Whom a client would get here, and why each other server not."""
        host, port = ask["client"]
        found = explain(self._services, str(ask["listener"]), (str(host), int(port)), self._loop.now)
        for begin in range(0, len(found.servers), MOST_TOLD):
            yield {"items": found.servers[begin : begin + MOST_TOLD]}
        yield {"done": {"worker": self._slot, **found.answer}}

    def _kill(self, ask: Json) -> Errand:
        """Those that match are ended; those that are on their way to here are when they come."""
        wanted, asked = Filter(ask["filter"]), float(ask["time"])
        if not wanted.texts:
            raise ValueError("not all sessions can be killed at once, without saying so by a filter")
        self._services.warrants.issue(wanted, asked)
        killed = 0
        for stage in walk(self._services):
            if stage is None or not is_meant(stage.session, wanted, asked):
                yield None
                continue
            stage.kill()
            killed += 1
            yield {"items": []} if killed % MOST_KILLED == 0 else None
        yield {"done": {"killed": killed}}


def _wall_at(moment: float) -> float:
    """The seconds since 1970 at a *moment* of the monotonic clock; the loop's own is that of the turn's beginning."""
    return time.time() - time.monotonic() + moment
