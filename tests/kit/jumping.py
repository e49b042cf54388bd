"""An asyncio event loop whose clock is a number: where a real one would wait for a time, this one is there."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is not None and timeout > 0:
            self.now += timeout
        return events


class JumpingLoop(asyncio.SelectorEventLoop):
    """For what waits for times alone; with real peers on the other side they would hardly get a turn."""

    def __init__(self) -> None:
        self._jumping = _Selector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def sleep_through(self, seconds: float) -> None:
        """The process does nothing for a while."""
        self._jumping.now += seconds


def run_jumping(conversation: Coroutine[Any, Any, T]) -> T:
    """Run *conversation* in a loop of its own; what it leaves behind is an error."""
    loop = JumpingLoop()
    try:
        result = loop.run_until_complete(conversation)
        left = asyncio.all_tasks(loop)
        assert not left, f"left behind: {left}"
        return result
    finally:
        loop.close()
