"""Deadlines of one length."""

import pytest

from l4d.loop.deadlines import NEVER, Deadlines, DueError


def queue_of(length: float) -> tuple[Deadlines[str], list[str]]:
    """A queue, and the list of those whose time has come."""
    due: list[str] = []
    return Deadlines(length, due.append), due


def test_whoever_entered_first_is_due_first() -> None:
    waiting, due = queue_of(10)
    waiting.enter("a", 0)
    waiting.enter("b", 1)
    waiting.enter("c", 2)
    waiting.expire(11)
    assert due == ["a", "b"]
    assert list(waiting) == ["c"]


def test_a_deadline_is_due_on_the_dot_and_not_before() -> None:
    waiting, due = queue_of(10)
    waiting.enter("a", 5)
    waiting.expire(14.999)
    assert not due
    waiting.expire(15)
    assert due == ["a"]


def test_nobody_is_told_twice() -> None:
    waiting, due = queue_of(1)
    waiting.enter("a", 0)
    waiting.expire(5)
    waiting.expire(6)
    assert due == ["a"]


def test_entering_again_is_starting_anew() -> None:
    waiting, due = queue_of(10)
    waiting.enter("a", 0)
    waiting.enter("b", 1)
    waiting.enter("a", 2)
    assert len(waiting) == 2
    waiting.expire(11)
    assert due == ["b"]
    assert waiting.next_due() == 12


def test_one_who_has_left_is_not_told() -> None:
    waiting, due = queue_of(10)
    waiting.enter("a", 0)
    waiting.leave("a")
    assert "a" not in waiting
    waiting.expire(100)
    assert not due


def test_one_who_does_not_wait_may_leave() -> None:
    waiting, _ = queue_of(10)
    waiting.enter("a", 0)
    waiting.leave("b")
    assert "a" in waiting


def test_the_next_to_be_due_is_the_first_or_nobody() -> None:
    waiting, _ = queue_of(10)
    assert waiting.next_due() == NEVER
    waiting.enter("a", 3)
    waiting.enter("b", 4)
    assert waiting.next_due() == 13


def test_one_who_is_told_has_left_already_and_may_enter_again() -> None:
    told: list[tuple[str, bool]] = []

    def again(waiter: str) -> None:
        told.append((waiter, waiter in waiting))
        waiting.enter(waiter, 10)

    waiting: Deadlines[str] = Deadlines(10, again)
    waiting.enter("a", 0)
    waiting.expire(10)
    assert told == [("a", False)]
    assert waiting.next_due() == 20


def test_one_who_is_told_may_make_another_leave() -> None:
    told: list[str] = []

    def take_along(waiter: str) -> None:
        told.append(waiter)
        waiting.leave("b")

    waiting: Deadlines[str] = Deadlines(10, take_along)
    waiting.enter("a", 0)
    waiting.enter("b", 0)
    waiting.expire(10)
    assert told == ["a"]


def test_when_telling_one_fails_the_others_are_still_told_later() -> None:
    told: list[str] = []

    def stumble(waiter: str) -> None:
        told.append(waiter)
        if waiter == "a":
            raise LookupError

    waiting: Deadlines[str] = Deadlines(10, stumble)
    waiting.enter("a", 0)
    waiting.enter("b", 0)
    with pytest.raises(DueError) as caught:
        waiting.expire(10)
    assert caught.value.waiter == "a"
    assert isinstance(caught.value.__cause__, LookupError)
    waiting.expire(10)
    assert told == ["a", "b"]


def test_the_first_of_an_empty_queue_is_announced() -> None:
    announced: list[float] = []
    waiting: Deadlines[str] = Deadlines(10, lambda _: None, announced.append)
    waiting.enter("a", 0)
    waiting.enter("b", 1)
    waiting.enter("a", 2)
    assert announced == [10]
    waiting.leave("a")
    waiting.leave("b")
    waiting.enter("c", 7)
    assert announced == [10, 17]


def test_who_waits_for_ever_is_never_due() -> None:
    waiting, due = queue_of(NEVER)
    waiting.enter("a", 0)
    waiting.expire(1e18)
    assert not due
    assert waiting.next_due() == NEVER
