"""The guard at a door: who may stay, who is cut off, and who makes room for whom."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from l4d.admin.guard import FIRST_WITHIN, MOST_CALLERS, MOST_UNHEARD, NEXT_WITHIN, Guard, Visit
from tests.kit.jumping import run_jumping


class Line:
    """A transport that only notes how it ends."""

    def __init__(self) -> None:
        self.end = ""

    def abort(self) -> None:
        self.end = "cut off"

    def close(self) -> None:
        self.end = self.end or "closed"

    def as_transport(self) -> asyncio.Transport:
        return cast(asyncio.Transport, self)


class Porch:
    """A guard, and all who have come."""

    def __init__(self) -> None:
        self.guard = Guard()
        self.lines: list[Line] = []

    def comes(self) -> Visit | None:
        self.lines.append(Line())
        return self.guard.admit(self.lines[-1].as_transport())

    def admitted(self) -> Visit:
        visit = self.comes()
        assert visit is not None
        return visit

    @property
    def ends(self) -> list[str]:
        return [line.end for line in self.lines]


def play(conversation: Callable[[Porch], Awaitable[None]]) -> None:
    async def played() -> None:
        await conversation(Porch())

    run_jumping(played())


def test_who_sends_no_request_is_cut_off() -> None:
    async def conversation(porch: Porch) -> None:
        porch.admitted()
        await asyncio.sleep(FIRST_WITHIN - 0.1)
        assert porch.ends == [""]
        await asyncio.sleep(0.2)
        assert porch.ends == ["cut off"]

    play(conversation)


def test_each_request_gives_more_time() -> None:
    async def conversation(porch: Porch) -> None:
        visit = porch.admitted()
        for _ in range(3):
            visit.heard()
            visit.answered()
            await asyncio.sleep(NEXT_WITHIN - 0.1)
        assert porch.ends == [""]
        await asyncio.sleep(0.2)
        assert porch.ends == ["cut off"]

    play(conversation)


def test_who_has_left_is_not_cut_off() -> None:
    async def conversation(porch: Porch) -> None:
        porch.admitted().over()
        await asyncio.sleep(FIRST_WITHIN + 0.1)
        assert porch.ends == [""]
        assert not porch.guard.visits

    play(conversation)


def test_who_sends_too_much_before_a_request_is_whole_is_cut_off() -> None:
    async def conversation(porch: Porch) -> None:
        visit = porch.admitted()
        assert visit.may_send(MOST_UNHEARD)
        visit.heard()
        assert visit.may_send(MOST_UNHEARD)
        assert porch.ends == [""]
        assert not visit.may_send(1)
        assert porch.ends == ["cut off"]

    play(conversation)


def test_who_has_waited_for_longest_makes_room() -> None:
    async def conversation(porch: Porch) -> None:
        first, *others = (porch.admitted() for _ in range(MOST_CALLERS))
        first.heard()
        first.answered()  # it waits anew, behind all others
        porch.admitted()
        assert porch.ends.index("cut off") == 1
        assert porch.ends.count("cut off") == 1
        others[0].over()

    play(conversation)


def test_nobody_who_is_being_answered_makes_room() -> None:
    async def conversation(porch: Porch) -> None:
        every = [porch.admitted() for _ in range(MOST_CALLERS)]
        for visit in every:
            visit.heard()
        assert porch.comes() is None
        every[0].answered()
        assert porch.comes() is not None
        assert porch.ends.count("cut off") == 1

    play(conversation)


def test_those_are_seen_out_who_are_owed_an_answer() -> None:
    async def conversation(porch: Porch) -> None:
        idle, busy, fresh = (porch.admitted() for _ in range(3))
        idle.heard()
        idle.answered()
        busy.heard()
        emptying = asyncio.ensure_future(porch.guard.empty(0.02))
        await asyncio.sleep(0)
        assert porch.ends == ["closed", "", ""]
        idle.over()
        busy.answered()
        busy.over()
        await emptying
        assert porch.ends == ["closed", "", "cut off"]
        fresh.over()

    play(conversation)


def test_an_empty_door_is_left_at_once() -> None:
    async def conversation(porch: Porch) -> None:
        await asyncio.wait_for(porch.guard.empty(10), 1)
        visit = porch.admitted()
        emptying = asyncio.ensure_future(porch.guard.empty(10))
        await asyncio.sleep(0)
        visit.over()
        await asyncio.wait_for(emptying, 1)
        visit.answered()  # its handler ends later than its connection: that is no news
        assert not porch.guard.visits

    play(conversation)
