"""The newest ends: asked for now and then, and the last answer does where workers are slow."""

import asyncio
from typing import cast

import pytest

from l4d.admin import ends as ends_module
from l4d.admin.ends import NewestEnds
from l4d.admin.house import Facts, Inquiries
from tests.kit.jumping import run_jumping


class Asked:
    """Somebody who asks the workers."""

    def __init__(self) -> None:
        self.times = 0
        self.answer = asyncio.Event()
        self.answer.set()

    async def newest_ends(self, limit: int) -> list[Facts]:
        self.times += 1
        number = self.times
        await self.answer.wait()
        return [{"number": number}][:limit]

    def as_inquiries(self) -> Inquiries:
        return cast(Inquiries, self)


def test_many_who_want_to_know_at_a_time_cost_one_inquiry() -> None:
    async def conversation() -> None:
        asked = Asked()
        ends = NewestEnds(asked.as_inquiries())
        told = await asyncio.gather(*(ends.get() for _ in range(10)))
        assert told == [[{"number": 1}]] * 10
        assert await ends.get() == [{"number": 1}], "it is fresh"
        assert asked.times == 1

    run_jumping(conversation())


def test_when_workers_are_slow_the_last_answer_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends_module, "FRESH", 0.0)
    monkeypatch.setattr(ends_module, "PATIENCE", 0.01)

    async def conversation() -> None:
        asked = Asked()
        ends = NewestEnds(asked.as_inquiries())
        assert await ends.get() == [{"number": 1}]
        asked.answer.clear()
        assert await ends.get() == [{"number": 1}]
        assert await ends.get() == [{"number": 1}]
        asked.answer.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await ends.get() == [{"number": 3}]

    run_jumping(conversation())
