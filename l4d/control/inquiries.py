"""Asking the workers: what sessions there are, which of them are to end, who ended of late, whom a client would get.

Workers have called (callers.py; worker/inquiry.py has the words), those of every generation that lives, also another
master's during an upgrade. An inquiry goes to all workers at once, also to one that has yet to call; it is over when
all have answered, or nobody has said anything for a while.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from l4d.control.callers import Callers
from l4d.handover.record import Json, RecordError
from l4d.linux.steering import slot_of
from l4d.log.log import Log
from l4d.session.filter import Filter, client_of
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.process import Process, present
from l4d.terms import WorkerState

PATIENCE: Final = 1.0
"""Seconds without a word of anybody, after which those who have not answered are silent."""

LONGEST: Final = 10.0
"""Seconds for an inquiry in all."""


SPARE: Final = 64
"""More sessions than are wanted that are kept for a while: to sort after each message would take too long."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Sessions, the oldest first; `total` is how many there are, told or not."""

    sessions: list[Json]
    total: int
    silent: list[int]
    """The pids of workers that have not answered, or not to the end."""


@dataclass(frozen=True, slots=True)
class Killed:
    number: int
    silent: list[int]


@dataclass(frozen=True, slots=True)
class Explained:
    """Which server a client would get, in each worker that it may come to, and what there is to say of all servers."""

    upstream: str
    balance: str
    certain: bool
    """Whether the next session of the client gets the one server that all workers name, if nothing changes."""
    answers: list[Json]
    servers: list[Json]
    silent: list[int]


@dataclass(slots=True)
class _Asked:
    """One inquiry, and who is still to answer it."""

    head: Json
    hear: Callable[[int, list[Json]], None]
    """Is given the pid, and what a worker has told."""
    waited_for: set[int]
    until: float
    everybody: bool  # whether one who comes only now is asked, too
    lost: set[int] = field(default_factory=set)
    answers: dict[int, Json] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def silent(self) -> list[int]:
        """Who has not answered, or not to the end."""
        return sorted(self.waited_for | self.lost)

    def concerns(self, pid: int) -> bool:
        """Whether one who has just called is to be asked."""
        return pid in self.waited_for or (self.everybody and pid not in self.lost and pid not in self.answers)

    def answer(self, pid: int, done: Json) -> None:
        self.waited_for.discard(pid)
        self.answers[pid] = done
        self.changed.set()

    def lose(self, pid: int) -> None:
        """It will not answer any more. If it calls again it is not asked again: some of it was told already."""
        if pid in self.waited_for:
            self.waited_for.remove(pid)
            self.lost.add(pid)
            self.changed.set()


class Inquiries:
    """All workers that have called."""

    def __init__(self, listening: socket.socket, board: Board, columns: Columns, log: Log) -> None:
        """*listening* is what workers call; see `open`."""
        self._callers = Callers(listening, board, columns, log, self)
        self._log = log
        self._asked: dict[int, _Asked] = {}
        self._last = 0

    def open(self) -> None:
        """Answer those who call from now on; nobody else does, since the last control process is gone."""
        self._callers.open()

    def close(self) -> None:
        """Those who call wait for the next control process; so will those whose connection ends with this."""
        self._callers.close()

    # What is asked

    async def sessions(self, wanted: Filter, limit: int) -> Listing:
        """The sessions that are meant; of more than *limit* of them the oldest that workers tell of."""
        found: list[Json] = []

        def hear(_pid: int, items: list[Json]) -> None:
            found.extend(items)
            if len(found) > limit + max(SPARE, limit // 8):
                keep_oldest()

        def keep_oldest() -> None:
            found.sort(key=_began)
            del found[limit:]

        asked = await self._ask({"ask": "sessions", "filter": wanted.texts, "limit": limit}, hear)
        keep_oldest()
        return Listing(found, _sum(asked, "total"), asked.silent)

    async def kill(self, wanted: Filter) -> Killed:
        """End the sessions that are meant. Raises ValueError: all are, because the filter says nothing."""
        if not wanted.texts:
            raise ValueError("a filter is needed to kill sessions")
        head = {"ask": "kill", "filter": wanted.texts, "time": time.monotonic()}
        asked = await self._ask(head, _nothing)
        return Killed(_sum(asked, "killed"), asked.silent)

    async def newest_ends(self, limit: int) -> list[Json]:
        """The sessions that ended last, the newest first, at most *limit*."""
        found: list[Json] = []
        await self._ask({"ask": "newest", "limit": limit}, lambda _pid, items: found.extend(items))
        found.sort(key=_ended, reverse=True)
        return [{key: value for key, value in facts.items() if key != "ended"} for facts in found[:limit]]

    async def explain(self, listener: str, client: str) -> Explained:
        """Whom a client, an address with or without a port, would get. Raises ValueError, with what is wrong."""
        address, port = client_of(client)
        servers: dict[int, list[Json]] = {}
        asked = await self._ask(
            {"ask": "explain", "listener": listener, "client": [f"{address}", port]},
            lambda pid, items: servers.setdefault(pid, []).extend(items),
            {worker.pid for worker in self._reached_by((f"{address}", port))},
        )
        answers = [done for _pid, done in sorted(asked.answers.items()) if "error" not in done]
        if not answers:
            errors = [str(done["error"]) for done in asked.answers.values()]
            raise ValueError(errors[0] if errors else "no worker has answered")
        names = {answer.get("server") for answer in answers}
        return Explained(
            str(answers[0].get("upstream")),
            str(answers[0].get("balance")),
            len(names) == 1 and not asked.silent and all(answer.get("certain") is True for answer in answers),
            [{key: answer.get(key) for key in ("worker", "server", "address", "why")} for answer in answers],
            next(iter(servers.values()), []),
            asked.silent,
        )

    def _reached_by(self, client: tuple[str, int]) -> list[Process]:
        """The workers of what serves to which the client may come: the one it is steered to, if its port is known."""
        workers = present(self._callers.workers())
        if not client[1]:
            return workers
        return [worker for worker in workers if worker.slot == slot_of(client, worker.slots)]

    # One inquiry

    async def _ask(self, head: Json, hear: Callable[[int, list[Json]], None], only: set[int] | None = None) -> _Asked:
        """Ask all workers, or *only* those of these pids: who was waited for in vain, and what the others answered."""
        self._last += 1
        number, loop = self._last, asyncio.get_running_loop()
        whom = {worker.pid for worker in self._callers.workers() if worker.state is not WorkerState.STARTING}
        begun = loop.time()
        whom = whom if only is None else whom & only
        asked = _Asked({"id": number, **head}, hear, whom, begun + PATIENCE, everybody=only is None)
        self._asked[number] = asked
        try:
            for pid in list(asked.waited_for):
                self._callers.say(pid, asked.head)  # the others are asked when they call
            while asked.waited_for and (left := min(asked.until, begun + LONGEST) - loop.time()) > 0:
                asked.changed.clear()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(asked.changed.wait(), left)
        finally:
            del self._asked[number]
        return asked

    # What workers do: callers.Hearer

    def called(self, pid: int) -> None:
        for asked in self._asked.values():
            if asked.concerns(pid):
                asked.waited_for.add(pid)
                self._callers.say(pid, asked.head)

    def lost(self, pid: int) -> None:
        for asked in self._asked.values():
            asked.lose(pid)

    def heard(self, pid: int, head: Json) -> None:
        """One message of a worker. Raises RecordError."""
        until = asyncio.get_running_loop().time() + PATIENCE
        for each in self._asked.values():
            if pid in each.waited_for:  # it deals with one inquiry after the other
                each.until = until
        asked = self._asked.get(_number(head, "id"))
        if asked is None or pid not in asked.waited_for:
            return  # it comes too late
        items, done = head.get("items", []), head.get("done")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise RecordError("what is told is a list of objects")
        asked.hear(pid, items)
        if done is None:
            return
        if not isinstance(done, dict):
            raise RecordError("an answer is an object")
        _number(done, "total"), _number(done, "killed")
        if "error" in done:
            self._log.seldom("asking", f"asking worker {pid}: {done['error']!r:.200}")
        asked.answer(pid, done)


def _began(facts: Json) -> str:
    """When, as a text that sorts."""
    return str(facts.get("time"))


def _ended(facts: Json) -> float:
    """When, in monotonic seconds, the same for all workers."""
    ended = facts.get("ended")
    return ended if isinstance(ended, float) else 0.0


def _nothing(_pid: int, _items: list[Json]) -> None:
    """Of a kill nothing is told but how many."""


def _number(head: Json, name: str) -> int:
    """Raises RecordError."""
    value = head.get(name, 0)
    if type(value) is not int:
        raise RecordError(f"{name} is a number")
    return value


def _sum(asked: _Asked, name: str) -> int:
    return sum(_number(done, name) for done in asked.answers.values())
