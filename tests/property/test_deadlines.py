"""Deadlines against a list that is sorted whenever somebody asks. It is slow and obviously right."""

from typing import TypeAlias

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from l4d.loop.deadlines import NEVER, Deadlines

LENGTH = 10.0

Waiting: TypeAlias = tuple[float, int, int]
"""When it is due, the how-manieth entry that was, and who."""


class DeadlinesAgainstASortedList(RuleBasedStateMachine):
    """The clock stands still at times, so that several are due at once; they are told in the order of entry."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.entries = 0
        self.told: list[int] = []
        self.announced = NEVER
        self.deadlines: Deadlines[int] = Deadlines(LENGTH, self.told.append, self.announce)
        self.model: list[Waiting] = []

    def announce(self, when: float) -> None:
        self.announced = min(self.announced, when)

    def drop(self, waiter: int) -> None:
        self.model = [waiting for waiting in self.model if waiting[2] != waiter]

    @rule(waiter=st.integers(0, 9))
    def enter(self, waiter: int) -> None:
        self.deadlines.enter(waiter, self.now)
        self.drop(waiter)
        self.entries += 1
        self.model.append((self.now + LENGTH, self.entries, waiter))

    @rule(waiter=st.integers(0, 9), ago=st.sampled_from([0.25, 1.5, 3.0, LENGTH, 50.0]))
    def resume(self, waiter: int, ago: float) -> None:
        """A wait that began elsewhere, at a moment at which nobody here began: their order would be anybody's."""
        since = self.now - ago - self.entries / 1024
        self.deadlines.resume(waiter, since)
        self.drop(waiter)
        self.entries += 1
        self.model.append((since + LENGTH, self.entries, waiter))
        assert self.deadlines.since(waiter) == since

    @rule(waiter=st.integers(0, 9))
    def leave(self, waiter: int) -> None:
        self.deadlines.leave(waiter)
        self.drop(waiter)

    @rule(seconds=st.sampled_from([0.0, 0.5, 3.0, LENGTH, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def expire(self) -> None:
        self.told.clear()
        self.deadlines.expire(self.now)
        self.model.sort()
        assert self.told == [who for due, _, who in self.model if due <= self.now]
        self.model = [waiting for waiting in self.model if waiting[0] > self.now]
        self.announced = NEVER  # as the loop does, which then asks who is next
        if self.model:
            self.announced = self.deadlines.next_due()

    @invariant()
    def nobody_is_due_before_it_was_announced(self) -> None:
        assert all(self.announced <= due for due, _, _ in self.model)

    @invariant()
    def they_agree_on_who_waits_and_who_is_next(self) -> None:
        self.model.sort()
        assert list(self.deadlines) == [who for _, _, who in self.model]
        assert len(self.deadlines) == len(self.model)
        assert self.deadlines.next_due() == (self.model[0][0] if self.model else NEVER)
        assert all((who in self.deadlines) is any(who == each for *_, each in self.model) for who in range(10))


def test_deadlines_do_what_a_sorted_list_does() -> None:
    run_state_machine_as_test(DeadlinesAgainstASortedList, settings=settings(deadline=None, max_examples=150))
