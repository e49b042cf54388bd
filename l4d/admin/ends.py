"""The newest ends of sessions, for the status: asked for once a second, however many want to know."""

import asyncio
from collections.abc import Sequence
from typing import Final

from l4d.admin.house import Facts, Inquiries

MOST: Final = 50

FRESH: Final = 0.5
"""Seconds in which an answer is as good as new."""

PATIENCE: Final = 0.3
"""Seconds after which the last answer has to do: some worker is slow."""


class NewestEnds:
    def __init__(self, inquiries: Inquiries) -> None:
        self._inquiries = inquiries
        self._ends: Sequence[Facts] = ()
        self._asking: asyncio.Task[None] | None = None
        self._good_until = 0.0

    async def get(self) -> Sequence[Facts]:
        """The newest first."""
        loop = asyncio.get_running_loop()
        if self._asking is None and loop.time() >= self._good_until:
            self._asking = loop.create_task(self._ask())
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=PATIENCE)
        return self._ends

    async def _ask(self) -> None:
        try:
            self._ends = await self._inquiries.newest_ends(MOST)
        finally:
            self._asking = None
            self._good_until = asyncio.get_running_loop().time() + FRESH
