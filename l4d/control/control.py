"""Control at work: it checks servers and resolves names, until it is told to leave or its master is gone.

made (secrets are read) --> ready (all is imported) --> told to go (the last one is gone) --> at work --> leaving
"""

import asyncio
import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any

from l4d.address import Inet, Unix
from l4d.child import channel
from l4d.config.model import Upstream
from l4d.control.assignment import ControlAssignment
from l4d.control.book import Book
from l4d.control.checks import Checks
from l4d.control.guard import Guard
from l4d.control.inquiries import Inquiries
from l4d.control.named import NamedServer
from l4d.errors import StartError
from l4d.health.checker import Checker
from l4d.health.lack import NotAsking
from l4d.health.make import make_probe
from l4d.health.probe import Probe
from l4d.health.secret import read_secret
from l4d.log.log import Log
from l4d.names.watch import Names
from l4d.stats import catalogue
from l4d.stats.process import Presence

if TYPE_CHECKING:
    from l4d.control.office import Office

HEARTBEAT_SECONDS = 0.5

TERM_SECONDS = 0.2
"""After SIGTERM, in which the master, if it got that too, can say that we are to leave."""

TIDY_SECONDS = 1.0
"""How often it is looked whether anything is left of servers whose address has gone."""

LOOK_PAUSE = 0.01
LOOK_SECONDS = 10.0
"""How often, and how long, it is looked whether every server is known; the master waits no longer."""

KNOCK_SECONDS = 0.05
"""The least time between two looks for dials that failed."""


class Control:
    """Everything of the control process."""

    def __init__(self, assignment: ControlAssignment, log: Log) -> None:
        """Secrets and certificates are read here, while the process still may. Nothing is done yet."""
        self._assignment = assignment
        self._log = log
        self._row = assignment.board.row(assignment.control_row)
        self._probes = {name: self._probe(one) for name, one in assignment.config.upstreams.items() if one.checked}
        self._chance = random.Random()  # noqa: S311 - jitter, no secret
        columns = assignment.columns
        self._queries = {result: columns.of(catalogue.RESOLVER_QUERIES, result) for result in catalogue.QUERY_RESULTS}
        self._leaving = asyncio.Event()
        self._guard = Guard()
        self._book = Book(assignment.config, assignment.board, assignment.columns, self._row, log)
        self._checks: dict[str, Checks] = {}
        self._entries: list[NamedServer] = []
        self._names: Names | None = None
        self._knocked = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._broken = False
        self._presence: Presence | None = None
        self._inquiries = Inquiries(assignment.inquiries, assignment.board, columns, log)
        self._office = self._make_office()

    def _make_office(self) -> "Office | None":
        """Where the operator is answered, if that is asked for."""
        if not self._assignment.doors:
            return None
        from l4d.control.office import Office

        return Office(self._assignment, self._book, self._checks, self._inquiries, self._log)

    def _probe(self, upstream: Upstream) -> Probe:
        """The probe for its servers. A password that has gone since the master looked is no fault of theirs."""
        try:
            return make_probe(upstream.check, read_secret(upstream.check, os.environ))
        except StartError as error:
            self._log.error(f"upstreams.{upstream.name}.check.{error}")
            return NotAsking(str(error))

    async def run(self) -> int:
        """Say ready, work when told to, and leave when told to: the exit status."""
        loop, assignment = asyncio.get_running_loop(), self._assignment
        loop.set_exception_handler(self._on_bug)
        loop.add_reader(assignment.channel.fileno(), self._on_word)
        loop.add_signal_handler(signal.SIGTERM, loop.call_later, TERM_SECONDS, self._leaving.set)
        if self._office is not None:
            await self._office.prepare()
        channel.say(assignment.channel, channel.READY)
        try:
            await self._leaving.wait()
        finally:
            self._guard.disarm()
        if self._office is not None:
            await self._office.close()
        loop.remove_reader(assignment.channel.fileno())
        loop.remove_reader(assignment.board.knock_fd)
        self._inquiries.close()
        for timer in self._timers.values():
            timer.cancel()
        if self._names is not None:
            await self._names.close()
        await asyncio.gather(*(checks.close() for checks in self._checks.values()))
        self._book.close()
        return 1 if self._broken else 0

    def _on_bug(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback of ours raised. What it did comes to an end with that, so another control process is to go on.

        A transport that is out of memory has closed itself, and that was all it did. A door at which nobody can be
        let in for lack of a descriptor is looked at again.
        """
        if isinstance(context.get("exception"), MemoryError) and "transport" in context:
            self._log.seldom("memory", "out of memory: the connection of a check was closed")
            return
        if isinstance(context.get("exception"), OSError) and "socket" in context:  # asyncio tries again in a second
            self._log.seldom("accept", "out of descriptors or memory: callers of the admin API wait")
            return
        self._log.bug(f"control, {context.get('message', 'in a callback')}", context.get("exception"))
        self._broken = True
        self._leaving.set()

    def _on_word(self) -> None:
        heard = channel.hear(self._assignment.channel)
        if heard is None:
            return
        word, descriptors = heard
        if word == channel.GO:
            self._go()
        elif word == channel.LOG:
            for fd in descriptors:  # none, if this process had no number left for it
                self._log.sink.reopen(fd)
                os.close(fd)
        elif not word or word == channel.STOP:
            self._leaving.set()  # told to, or the master is gone
        elif self._office is not None:
            self._office.hear(word)

    def _go(self) -> None:
        """The last control process is gone: the board is ours to write."""
        here = self._assignment
        self._presence = Presence(self._row, here.columns, os.getpid(), here.generation)
        self._book.open()
        self._inquiries.open()
        self._guard.arm()
        config = self._assignment.config
        self._names = Names(config.resolver, self._log, self._chance, self._count_query)
        for upstream in config.upstreams.values():
            self._begin(upstream, self._names)
        loop = asyncio.get_running_loop()
        if self._office is not None:
            loop.create_task(self._office.open()).add_done_callback(lambda opening: opening.result())
        loop.add_reader(self._assignment.board.knock_fd, self._on_knock)
        self._beat()
        self._tidy()
        self._look(loop.time() + LOOK_SECONDS)

    def _begin(self, upstream: Upstream, names: Names) -> None:
        checks = self._checks[upstream.name] = Checks(upstream, self._book, self._checker(upstream))
        for server in upstream.servers:
            if isinstance(server.address, (Inet, Unix)):
                checks.add(server.name, server.address)
                continue
            entry = NamedServer(upstream, server, self._book, checks, self._assignment.columns, self._row, self._log)
            self._entries.append(entry)
            names.watch(server, entry)

    def _checker(self, upstream: Upstream) -> Checker | None:
        if not upstream.checked:
            return None
        return Checker(upstream.check, self._probes[upstream.name], self._book, self._log, self._chance)

    def _look(self, until: float) -> None:
        """Tell the master when every server was checked and every name asked for: it waits for that, for a while."""
        loop = asyncio.get_running_loop()
        if all(entry.known for entry in self._entries) and all(checks.known for checks in self._checks.values()):
            channel.say(self._assignment.channel, channel.LOOKED)
        elif loop.time() < until:
            self._timers["look"] = loop.call_later(LOOK_PAUSE, self._look, until)

    # Now and then

    def _beat(self) -> None:
        assert self._presence is not None  # since it was told to go
        self._presence.beat(time.monotonic())
        self._timers["beat"] = asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._beat)

    def _tidy(self) -> None:
        for entry in self._entries:
            entry.tidy()
        self._timers["tidy"] = asyncio.get_running_loop().call_later(TIDY_SECONDS, self._tidy)

    def _on_knock(self) -> None:
        """A dial of some server given by name has failed: ask for the names of all those again, in a moment."""
        os.eventfd_read(self._assignment.board.knock_fd)
        if not self._knocked:
            self._knocked = True
            asyncio.get_running_loop().call_later(KNOCK_SECONDS, self._resolve_again)

    def _resolve_again(self) -> None:
        self._knocked = False
        for entry in self._entries:
            if entry.dials_fail() and self._names is not None:
                self._names.again(entry.server)

    def _count_query(self, result: str) -> None:
        self._row[self._queries[result]] += 1
