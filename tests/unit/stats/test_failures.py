"""A server's failed dials over all workers, as the board keeps them."""

import pytest

from l4d.stats.board import Board
from l4d.stats.failures import SharedFailures
from l4d.stats.tally import ServerTally
from tests.unit.making import Row


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


def test_the_latest_end_any_worker_has_said_holds() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    assert one.out_until() == 0
    one.put_out(120.5, probation=0)
    other.put_out(110, probation=0)
    assert [one.out_until(), other.out_until()] == [120.5, 120.5]


def test_putting_out_rings_the_bell() -> None:
    here = Row()
    failures_of(here).put_out(120, probation=0)
    assert here.board.bell


def test_the_count_on_probation_begins_when_the_server_is_in_again() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    one.put_out(120, probation=2)
    assert other.add(130, 10) == 3
    assert other.add(130.001, 10) == 2


def test_clearing_forgets_our_own_failures_and_nobody_elses() -> None:
    here = Row()
    one, other = failures_of(here), failures_of(here.another())
    one.add(100, 10)
    other.add(100, 10)
    one.clear()
    assert one.add(101, 10) == 2


def test_a_dead_workers_failures_are_forgotten() -> None:
    here = Row()
    there = here.another()
    failures_of(there).add(100, 10)
    here.board.retire_row(there.number, here.columns.counters(), here.columns.used)
    assert failures_of(here).add(101, 10) == 1


class RowsComeAndGo(Board):
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
