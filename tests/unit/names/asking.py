"""What the tests of names are made of: settings, an entry of an upstream, one who is told, waits in an event loop."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeVar

from l4d.address import Host, Inet, Srv
from l4d.config.model import Resolver, Server
from l4d.log.log import Log
from l4d.names.found import Found
from l4d.names.lookup import Lookup
from l4d.names.resolv_conf import Advisor
from l4d.names.watch import Names
from l4d.terms import Level
from tests.kit.wait import TIMEOUT
from tests.unit.making import Lines, member

T = TypeVar("T")

NOWHERE = "/nonexistent"


def run(conversation: Coroutine[Any, Any, T]) -> T:
    """To its end, in an event loop of its own."""
    return asyncio.run(conversation)


async def until(what: str, condition: Callable[[], T]) -> T:
    """What *condition* gives, as soon as that is true."""
    deadline = time.monotonic() + TIMEOUT
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {TIMEOUT:g} s in vain until {what}"
        await asyncio.sleep(0.005)
    return result


def settings(*nameservers: Inet, timeout: float = 60.0, min_ttl: float = 0.05, max_ttl: float = 60.0) -> Resolver:
    return Resolver(nameservers, timeout, min_ttl, max_ttl)


def host(name: str = "db.test", port: int = 5432, **changes: Any) -> Server:
    """An entry of an upstream."""
    return member(name=f"{name}:{port}", address=Host(name, port), **changes)


def service(name: str = "_pg._tcp.test", **changes: Any) -> Server:
    return member(name=name, address=Srv(name), **changes)


def lookup(
    *nameservers: Inet, timeout: float = 60.0, resolv_conf: str = NOWHERE, results: list[str] | None = None
) -> Lookup:
    """*results* takes what is to be counted."""
    counted = results if results is not None else []
    return Lookup(Advisor(nameservers, resolv_conf), timeout, counted.append)


class Listener:
    """One who is told, and writes it down."""

    def __init__(self) -> None:
        self.history: list[tuple[Found, ...]] = []
        self.whole: list[bool] = []
        self.remarks: list[str] = []

    def found(self, found: tuple[Found, ...], whole: bool) -> None:
        self.history.append(found)
        self.whole.append(whole)

    def troubled(self, reason: str) -> None:
        self.remarks.append(reason)

    def well(self) -> None:
        self.remarks.append("well")

    @property
    def servers(self) -> list[str]:
        """The addresses, as they are now."""
        return [str(one.address) for one in self.history[-1]] if self.history else []


class Watching:
    """Names being watched: `async with Watching(settings(...)) as names`. Nothing of ours may go wrong in it."""

    def __init__(self, asked_for: Resolver, hosts: str = NOWHERE, resolv_conf: str = NOWHERE) -> None:
        self._lines = Lines()
        self._settings = asked_for
        self._files = hosts, resolv_conf
        self.results: list[str] = []

    async def __aenter__(self) -> Names:
        log = Log(self._lines, Level.DEBUG, "test")
        self._names = Names(self._settings, log, Random(1), self.results.append, *self._files)
        return self._names

    async def __aexit__(self, *_error: object) -> None:
        await self._names.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert self._lines.texts == []
