"""Asking a server that runs in the test's own event loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from l4d.address import Address
from l4d.health.make import make_probe
from l4d.health.probe import Answer, Target
from l4d.health.words import reason
from l4d.terms import CheckType
from tests.kit.scripted import nothing_left
from tests.unit.health.making import make_check


def run(conversation: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(conversation, 20))


async def ask(kind: CheckType, address: Address, *, secret: str | None = None, **keys: Any) -> Answer:
    """What a check of *kind* comes to, as the checker takes it; nothing is left behind."""
    async with nothing_left():
        probe = make_probe(make_check(kind, **keys), secret)
        try:
            return await probe.ask(Target("web", "one", address))
        except (OSError, EOFError, ValueError) as error:
            return Answer(well=False, why=reason(error))


def ask_once(kind: CheckType, address: Address, *, secret: str | None = None, **keys: Any) -> Answer:
    """The same, for a server that runs elsewhere."""
    return asyncio.run(asyncio.wait_for(ask(kind, address, secret=secret, **keys), 20))
