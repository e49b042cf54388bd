"""The office: where control answers the operator, by the admin API (l4d/admin), and passes on what is for the master.

The libraries are imported with this file: only where there is an `[admin]`.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401 - it is imported at its first use: too late for a user who may not
import itertools
import time
from collections.abc import Mapping, Sequence

from l4d.admin.house import House
from l4d.admin.server import Api, tell_of_libraries
from l4d.child import channel
from l4d.control.assignment import ControlAssignment
from l4d.control.book import Book
from l4d.control.checks import Checks
from l4d.control.inquiries import Inquiries
from l4d.log.log import Log
from l4d.stats import changes
from l4d.stats.history import INTERVAL, History
from l4d.stats.numbers import Numbers
from l4d.stats.wish import Wish

MASTER_PATIENCE = 10.0
"""The master answers within so many seconds, if it is not gone."""


class Office:
    """Of one control process. To be used inside the running event loop."""

    def __init__(
        self, assignment: ControlAssignment, book: Book, checks: Mapping[str, Checks], inquiries: Inquiries, log: Log
    ) -> None:
        """*checks* are filled in when control begins."""
        tell_of_libraries(log)
        self._channel = assignment.channel
        self._changes = assignment.changes
        self._next = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Sequence[str]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        numbers = Numbers(assignment.board, assignment.columns)
        self._history = History(numbers, assignment.config)
        house = House(
            config=assignment.config,
            bound=assignment.bound,
            numbers=numbers,
            control_row=assignment.control_row,
            master_pid=assignment.master,
            log=log,
            changes=lambda: self._changes,
            history=self._history,
            servers=Desk(book, checks),
            inquiries=inquiries,
            master=self,
        )
        self._api = Api(house, assignment.doors)

    async def prepare(self) -> None:
        """All that takes time; nobody is answered yet."""
        await self._api.prepare()

    async def open(self) -> None:
        """Answer from here on."""
        await self._api.open()
        self._look()

    async def close(self) -> None:
        """Let nobody in any more, and see out who is there."""
        if self._timer is not None:
            self._timer.cancel()
        await self._api.close()

    def _look(self) -> None:
        self._api.note(time.monotonic())
        self._history.take(time.time(), time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._look)

    # What the master is asked, and says

    async def ask(self, what: str) -> Sequence[str]:
        """Have the master do it: why it cannot; nothing, if it is begun. See admin.house.Master."""
        number = next(self._next)
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        channel.say(self._channel, channel.ask(number, what))
        try:
            return await asyncio.wait_for(asked, MASTER_PATIENCE)
        except asyncio.TimeoutError:
            return ["the master does not answer"]
        finally:
            del self._asked[number]

    def hear(self, word: bytes) -> None:
        """An answer of the master's, or its news; another word is none of ours."""
        if word.startswith(channel.ANSWER):
            number, problems = channel.answered(word)
            asked = self._asked.get(number)
            if asked is not None and not asked.done():
                asked.set_result(problems)
        elif word.startswith(channel.CHANGES):
            self._changes = changes.decode(channel.details(word))


class Desk:
    """What is known and wished of servers: admin.house.Servers."""

    def __init__(self, book: Book, checks: Mapping[str, Checks]) -> None:
        self._book = book
        self._checks = checks

    def judged_at(self, upstream: str, server: str) -> float:
        return self._book.judged_at(upstream, server)

    def reason(self, upstream: str, server: str) -> str | None:
        return self._book.reason(upstream, server)

    def wish(self, upstream: str, server: str, change: Wish, by: str) -> None:
        """One that is in maint from now on is not asked any more, and one that was is asked again."""
        self._book.wish(upstream, server, change, by)
        for name in self._book.seats(upstream, server):
            self._checks[upstream].look(name)
