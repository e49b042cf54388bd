"""The pulse: looks that find no new heartbeat count, and nothing else does."""

from collections.abc import Callable
from typing import cast

from l4d.master.pulse import HEARTBEAT_TIMEOUT, LOOKS, Pulse
from l4d.master.timers import Timers


class Listened:
    """A process whose heart the test has in its hands, and the looks for it."""

    def __init__(self, timeout: float = HEARTBEAT_TIMEOUT) -> None:
        self.beat: float | None = 0.0
        self.hangs = 0
        self.pauses: list[float] = []
        self._next: list[Callable[[], None]] = []
        Pulse(cast(Timers, self), lambda: self.beat, self.hung, timeout).listen()

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self.pauses.append(seconds)
        self._next.append(call)

    def hung(self) -> None:
        self.hangs += 1

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self._next.pop()()

    @property
    def ended(self) -> bool:
        """Whether it will not be looked any more."""
        return not self._next


def test_one_whose_heart_beats_does_not_hang() -> None:
    process = Listened()
    for beat in range(10 * LOOKS):
        process.beat = float(beat)
        process.look()
    assert process.hangs == 0
    assert not process.ended


def test_one_whose_heart_has_stopped_hangs_once_when_so_many_looks_have_found_nothing_new() -> None:
    process = Listened()
    process.look(1 + LOOKS - 1)  # the first one finds what was there before
    assert process.hangs == 0
    process.look()
    assert process.hangs == 1
    assert process.ended


def test_the_looks_that_find_nothing_new_are_as_long_as_the_timeout_together() -> None:
    assert Listened(timeout=8.0).pauses == [8.0 / LOOKS]


def test_one_late_heartbeat_is_enough_to_begin_the_counting_anew() -> None:
    process = Listened()
    for beat in (0.5, 1.0, 1.5):
        process.beat = beat
        process.look(LOOKS)
    assert process.hangs == 0


def test_an_old_heartbeat_is_no_reason_as_long_as_it_is_a_new_one() -> None:
    """As after a stop of all: it is not compared with any clock."""
    process = Listened()
    process.look(LOOKS - 1)
    process.beat = 0.001
    process.look()
    assert process.hangs == 0


def test_nobody_listens_to_one_that_is_of_no_interest_any_more() -> None:
    process = Listened()
    process.look(LOOKS)
    process.beat = None
    process.look()
    assert process.hangs == 0
    assert process.ended
