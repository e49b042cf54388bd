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


# Waits that began elsewhere


def test_a_wait_that_began_elsewhere_is_due_when_it_would_have_been_there() -> None:
    waiting, due = queue_of(10)
    waiting.resume("a", 3)
    waiting.expire(12.999)
    assert not due
    waiting.expire(13)
    assert due == ["a"]


def test_when_a_wait_began_is_known_and_goes_on_from_there() -> None:
    there, _ = queue_of(10)
    here, _ = queue_of(10)
    there.enter("a", 3)
    here.resume("a", there.since("a"))
    assert here.since("a") == 3
    assert here.next_due() == 13


def test_those_who_come_from_elsewhere_find_their_places_among_the_others() -> None:
    waiting, due = queue_of(10)
    waiting.enter("c", 5)
    waiting.resume("d", 7)
    waiting.resume("a", 1)
    waiting.enter("e", 8)
    waiting.resume("b", 4)
    assert list(waiting) == ["a", "b", "c", "d", "e"]
    waiting.expire(15)
    assert due == ["a", "b", "c"]


def test_those_who_began_together_stay_in_the_order_they_came_in() -> None:
    waiting, _ = queue_of(10)
    for name in "xyz":
        waiting.resume(name, 5)
    assert list(waiting) == ["x", "y", "z"]


def test_one_who_is_due_already_is_told_with_the_next_look() -> None:
    waiting, due = queue_of(10)
    waiting.enter("a", 95)
    waiting.resume("b", 3)
    assert not due
    waiting.expire(100)
    assert due == ["b"]


def test_who_has_come_from_elsewhere_may_start_anew_or_leave_before_anybody_looks() -> None:
    waiting, due = queue_of(10)
    for name, since in (("a", 1), ("b", 2), ("c", 3)):
        waiting.resume(name, since)
    waiting.enter("a", 20)
    waiting.leave("b")
    waiting.expire(29)
    assert due == ["c"]
    assert list(waiting) == ["a"]


def test_one_who_waits_already_goes_on_as_if_it_had_begun_then() -> None:
    waiting, _ = queue_of(10)
    waiting.enter("a", 5)
    waiting.enter("b", 6)
    waiting.resume("b", 1)
    assert list(waiting) == ["b", "a"]


def test_each_who_comes_from_elsewhere_is_announced_since_it_may_be_the_first() -> None:
    announced: list[float] = []
    waiting: Deadlines[str] = Deadlines(10, lambda _: None, announced.append)
    waiting.enter("a", 5)
    waiting.resume("b", 1)
    waiting.resume("c", 3)
    assert min(announced) == 11 == waiting.next_due()


def test_one_who_is_told_may_bring_another_from_elsewhere() -> None:
    told: list[str] = []

    def bring(waiter: str) -> None:
        told.append(waiter)
        if waiter == "a":
            waiting.resume("c", 0)

    waiting: Deadlines[str] = Deadlines(10, bring)
    waiting.enter("a", 1)
    waiting.enter("b", 2)
    waiting.expire(12)
    waiting.expire(12)
    assert sorted(told) == ["a", "b", "c"]


def test_many_are_put_in_their_places_at_once() -> None:
    """Sorting for each of them would take minutes."""
    waiting, _ = queue_of(10)
    for number in range(20_000):
        waiting.resume(str(number), 20_000 - number)
    assert next(iter(waiting)) == "19999"
