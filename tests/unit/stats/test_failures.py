"""A server's failed dials over all workers, as the board keeps them."""

import pytest

from l4d.stats.failures import SharedFailures
from l4d.stats.tally import ServerTally
from tests.unit.making import OwnBoard, Row


def failures_of(row: Row, server: str = "one") -> SharedFailures:
    return SharedFailures(row.board, ServerTally(row.row, row.columns, "db", server))


def test_failures_within_the_window_are_counted_over_all_workers() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    assert [one.add(100, 10), other.add(105, 10), one.add(110, 10)] == [1, 2, 3]


def test_a_workers_count_begins_anew_after_the_window() -> None:
    one = failures_of(Row())
    assert [one.add(100, 10), one.add(110, 10), one.add(110.001, 10)] == [1, 2, 1]


def test_another_workers_count_that_began_before_the_window_is_left_out() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    one.add(100, 10)
    assert other.add(110, 10) == 2
    assert other.add(110.001, 10) == 2


def test_servers_do_not_share_failures() -> None:
    here = Row()
    failures_of(here, "one").add(100, 10)
    assert failures_of(here, "two").add(100, 10) == 1


def test_the_worker_that_put_a_server_out_tries_it_first_and_the_others_wait_as_long_again() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    assert one.out_until(10) == 0
    one.put_out(120.5)
    assert [one.out_until(10), other.out_until(10)] == [120.5, 130.5]


def test_the_latest_end_any_worker_has_said_holds() -> None:
    here = Row()
    one, other, third = (failures_of(row) for row in (here, here.another(), here.another()))
    one.put_out(120)
    other.put_out(125)
    assert [each.out_until(10) for each in (one, other, third)] == [135, 125, 135]


def test_putting_out_rings_the_bell() -> None:
    here = Row()
    failures_of(here).put_out(120)
    assert here.board.bell


def test_the_count_begins_anew_when_the_server_is_in_again() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    one.add(100, 10)
    one.put_out(120)
    assert other.add(130, 10) == 1


def test_clearing_forgets_our_own_failures_and_nobody_elses() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    one.add(100, 10)
    other.add(100, 10)
    one.clear(100, was_out=False)
    assert here.board.bell == 0
    assert one.add(101, 10) == 2


@pytest.mark.parametrize("whose", [0, 1])
def test_a_server_that_was_out_and_has_answered_one_worker_is_in_for_all(whose: int) -> None:
    here = Row()
    workers = [failures_of(here), failures_of(here.another())]
    workers[0].put_out(120)
    bell = here.board.bell
    workers[whose].clear(115, was_out=True)
    assert here.board.bell != bell
    assert [each.out_until(10) for each in workers] == [0, 0]
    assert [each.add(116, 10) for each in workers] == [1, 2]


def test_one_that_is_put_out_after_it_has_answered_is_out() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    one.clear(111, was_out=True)
    other.put_out(121.001)
    assert [one.out_until(10), other.out_until(10)] == [131.001, 121.001]


def test_of_an_answer_and_a_failure_in_the_same_millisecond_the_failure_holds() -> None:
    """A server that closes at once after it has answered would never be out."""
    one = failures_of(Row())
    one.clear(111, was_out=True)
    one.put_out(121)
    assert one.out_until(10) == 121


def test_what_is_forgotten_for_another_server_holds_for_no_worker() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    one.put_out(120)
    other.forget(115)
    assert [one.out_until(10), other.out_until(10)] == [0, 0]


def test_a_dead_workers_failures_are_forgotten() -> None:
    here = Row()
    there = here.another()
    failures_of(there).add(100, 10)
    here.board.retire_row(there.number, here.columns.counters(), here.columns.used)
    assert failures_of(here).add(101, 10) == 1


def test_whom_a_dead_worker_had_put_out_is_in() -> None:
    here = Row()
    there = here.another()
    failures_of(there).put_out(110)
    here.board.retire_row(there.number, here.columns.counters(), here.columns.used)
    assert failures_of(here).out_until(10) == 0


class RowsComeAndGo(OwnBoard):
    """Between any two reads the master takes a row, or retires one."""

    def __init__(self, *, come: bool) -> None:
        super().__init__(rows=8, columns=512)
        self.come = come
        self.between = False

    def read(self, column: int) -> list[int]:
        numbers = super().read(column)
        if self.between and self.come:
            self.take_row()
        elif self.between:
            self.retire_row(max(self._taken), [], 512)
        return numbers


@pytest.mark.parametrize("come", [True, False])
def test_a_worker_may_be_born_or_die_while_failures_are_summed(come: bool) -> None:
    board = RowsComeAndGo(come=come)
    here = Row(board)
    other = here.another()
    here.another()
    one = failures_of(here)
    failures_of(other).add(100, 10)
    board.between = True
    assert one.add(101, 10) == 2
