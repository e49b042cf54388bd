"""Every name of the configuration, asked for again and again: when its TTL runs out, and when dialling it fails.

Each name has a task of its own, however many entries it is in, so that none waits for another:

    ask --> tell what was found, and what troubles --> sleep for the TTL, or until dialling fails --> ask

How long the sleep is: pace.py.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Protocol

from l4d.address import SAME_PORT, Host, Named, Srv
from l4d.config.model import Resolver, Server
from l4d.log.log import Log
from l4d.names.found import Found, all_for_entry
from l4d.names.hosts import HOSTS, Hosts
from l4d.names.lookup import Lookup
from l4d.names.meaning import Answer, Meaning
from l4d.names.pace import Pace
from l4d.names.resolv_conf import RESOLV_CONF, Advisor


class Told(Protocol):
    """Who wants to know what an entry of an upstream stands for. Called in the event loop, and must not block."""

    def found(self, found: tuple[Found, ...], whole: bool) -> None:
        """The addresses are these now, never none: sorted, each once, with the entry's port and weight.

        Called when this is not what the last call said. Not *whole*: one part of the name (a family, a target of SRV)
        has not been answered since the start, so an address that is missing here may still be there. After max_ttl it
        is no longer waited for.
        """

    def troubled(self, reason: str) -> None:
        """It does not go well with the name, or for another reason than before. What was found still holds."""

    def well(self) -> None:
        """The trouble is over."""


class Names:
    """All names that are watched. Made and used in a running event loop."""

    def __init__(
        self,
        settings: Resolver,
        log: Log,
        chance: Random,
        on_query: Callable[[str], None],
        hosts: str = HOSTS,
        resolv_conf: str = RESOLV_CONF,
    ) -> None:
        """*on_query* is called with one of catalogue.QUERY_RESULTS for each question to the nameservers.

        The files *hosts* and *resolv_conf* are used only if the settings have no nameservers.
        """
        self._settings = settings
        self._log = log
        self._chance = chance
        self._lookup = Lookup(Advisor(settings.nameservers, resolv_conf), settings.timeout, on_query)
        self._hosts = None if settings.nameservers else Hosts(hosts)
        self._watches: dict[Named, _Watch] = {}

    def watch(self, entry: Server, told: Told) -> None:
        """From now on *told* hears what *entry*, a server given by name, stands for."""
        assert isinstance(entry.address, (Host, Srv))
        name = _question(entry.address)
        if name not in self._watches:
            meaning = Meaning(name, self._lookup, self._hosts)
            self._watches[name] = _Watch(name, meaning, self._settings, self._log, self._chance)
        self._watches[name].add(entry, told)

    def again(self, entry: Server) -> None:
        """Dialling an address of *entry* failed: ask for its name at once, if that was not just done."""
        assert isinstance(entry.address, (Host, Srv))
        watch = self._watches.get(_question(entry.address))
        if watch:  # not when we are closed: dials go on to the end
            watch.again()

    async def close(self) -> None:
        """Nobody hears anything any more. Returns when all tasks have ended and all sockets are closed."""
        watches = list(self._watches.values())
        self._watches.clear()
        await asyncio.gather(*(watch.close() for watch in watches))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _question(address: Named) -> Named:
    """What has to be asked: the same for all entries with one name, whatever their port."""
    return Host(address.name, SAME_PORT) if isinstance(address, Host) else address


class _Watch:
    """One name, and the entries that it is in."""

    def __init__(self, name: Named, meaning: Meaning, settings: Resolver, log: Log, chance: Random) -> None:
        self._name = name
        self._meaning = meaning
        self._log = log
        self._pace = Pace(settings, chance)
        self._entries: list[tuple[Server, Told]] = []
        self._found: tuple[Found, ...] = ()
        self._whole = False
        self._whole_at = _now() + settings.max_ttl
        self._trouble = ""
        self._dials_fail = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def add(self, entry: Server, told: Told) -> None:
        """What is known already it hears at once."""
        self._entries.append((entry, told))
        if self._found:
            told.found(all_for_entry(self._found, entry), self._whole)
        if self._trouble:
            told.troubled(self._trouble)

    def again(self) -> None:
        self._dials_fail.set()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._dials_fail.clear()
            answer = Answer()
            try:
                answer = await self._meaning.ask()
                self._tell(answer)
            except Exception:  # ours, and said so loudly; the name must be asked for again nevertheless
                self._log.bug(f"resolving {self._name.name}")
            await self._sleep(self._pause(answer))

    def _tell(self, answer: Answer) -> None:
        """Say what is new."""
        if answer.found:
            whole = self._whole or not answer.failed or _now() >= self._whole_at
            if (answer.found, whole) != (self._found, self._whole):
                self._found, self._whole = answer.found, whole
                for entry, told in self._entries:
                    told.found(all_for_entry(answer.found, entry), whole)
        if answer.trouble != self._trouble:
            self._trouble = answer.trouble
            for _entry, told in self._entries:
                if answer.trouble:
                    told.troubled(answer.trouble)
                else:
                    told.well()

    def _pause(self, answer: Answer) -> float:
        """How many seconds from now the name is asked for again."""
        if answer.failed or not answer.found:
            return self._pace.after_failure(answer.ttl)
        return self._pace.after_answer(answer.ttl)

    async def _sleep(self, seconds: float) -> None:
        """For so long, or until a dial fails."""
        least = min(seconds, self._pace.least)
        await asyncio.sleep(least)
        waiting = asyncio.create_task(self._dials_fail.wait())
        try:
            await asyncio.wait({waiting}, timeout=seconds - least)
        finally:
            waiting.cancel()
