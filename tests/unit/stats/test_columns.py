"""Which column a number has."""

import pytest

from l4d.stats import catalogue
from l4d.stats.board import FIRST_COLUMN, BoardFullError
from l4d.stats.columns import Columns


def test_every_number_has_its_own_column_behind_the_boards_own() -> None:
    columns = Columns()
    given = [columns.of(catalogue.BYTES, name, way) for name in ("a", "b") for way in catalogue.DIRECTIONS]
    assert given == list(range(FIRST_COLUMN, FIRST_COLUMN + 4))
    assert columns.used == FIRST_COLUMN + 4


def test_a_name_that_comes_back_finds_its_old_column() -> None:
    columns = Columns()
    first = columns.of(catalogue.SESSIONS, "a")
    columns.of(catalogue.SESSIONS, "b")
    assert columns.of(catalogue.SESSIONS, "a") == first
    assert columns.of(catalogue.SESSIONS_TOTAL, "a") != first


def test_labels_are_not_run_together() -> None:
    columns = Columns()
    assert columns.of(catalogue.SERVER_SESSIONS, "a/b", "c") != columns.of(catalogue.SERVER_SESSIONS, "a", "b/c")


def test_a_metric_wants_all_its_labels() -> None:
    with pytest.raises(AssertionError, match="bytes_total wants"):
        Columns().of(catalogue.BYTES, "a")


def test_a_board_without_a_free_column_says_so_and_keeps_what_it_gave() -> None:
    columns = Columns(room=FIRST_COLUMN + 1)
    first = columns.of(catalogue.SESSIONS, "a")
    with pytest.raises(BoardFullError, match="so many names need more"):
        columns.of(catalogue.SESSIONS, "b")
    assert columns.of(catalogue.SESSIONS, "a") == first
    assert columns.used == FIRST_COLUMN + 1


def test_counters_outlive_their_process_and_nothing_else_does() -> None:
    columns = Columns()
    counter = columns.of(catalogue.SESSIONS_TOTAL, "a")
    columns.of(catalogue.SESSIONS, "a")
    columns.of(catalogue.HEARTBEAT)
    other = columns.of(catalogue.LOG_LINES_DROPPED)
    assert columns.counters() == [counter, other]


def test_all_numbers_of_a_metric_are_found_by_their_labels() -> None:
    columns = Columns()
    a, _, b = columns.of(catalogue.SESSIONS, "a"), columns.of(catalogue.HEARTBEAT), columns.of(catalogue.SESSIONS, "b")
    assert list(columns.each(catalogue.SESSIONS)) == [(("a",), a), (("b",), b)]
    assert not list(columns.each(catalogue.BYTES))


def test_what_nobody_keeps_is_given_to_the_next_who_asks() -> None:
    columns = Columns(room=FIRST_COLUMN + 2)
    kept = columns.of(catalogue.SESSIONS, "kept")
    gone = columns.of(catalogue.SESSIONS, "gone")
    assert columns.release_all_but({(catalogue.SESSIONS, ("kept",))}) == [gone]
    assert columns.of(catalogue.SESSIONS, "new") == gone
    assert columns.of(catalogue.SESSIONS, "kept") == kept
    assert columns.used == FIRST_COLUMN + 2


def test_what_was_asked_for_is_recorded_whether_it_was_new_or_not() -> None:
    columns = Columns()
    columns.of(catalogue.SESSIONS, "a")
    columns.of(catalogue.SESSIONS, "b")
    columns.record()
    columns.of(catalogue.SESSIONS, "b")
    columns.of(catalogue.SESSIONS, "c")
    assert columns.recorded == {(catalogue.SESSIONS, ("b",)), (catalogue.SESSIONS, ("c",))}


def test_once_sealed_none_is_given_out() -> None:
    columns = Columns()
    column = columns.of(catalogue.SESSIONS, "a")
    columns.seal()
    assert columns.of(catalogue.SESSIONS, "a") == column
    with pytest.raises(LookupError, match="nothing was ever counted for sessions of b"):
        columns.of(catalogue.SESSIONS, "b")
    assert columns.keys == {(catalogue.SESSIONS, ("a",))}


def test_another_program_goes_on_with_what_was_given_out() -> None:
    columns = Columns(100)
    kept, gone = columns.of(catalogue.SESSIONS, "a"), columns.of(catalogue.SESSIONS, "b")
    columns.release_all_but({(catalogue.SESSIONS, ("a",))})
    later = Columns.inherited(100, columns.named, columns.free, columns.used)
    assert later.keys == columns.keys == {(catalogue.SESSIONS, ("a",))}
    assert later.of(catalogue.SESSIONS, "a") == kept
    assert later.of(catalogue.SESSIONS, "new") == gone
    assert later.of(catalogue.SESSIONS, "newer") == columns.used


def test_a_number_that_only_the_other_program_knows_keeps_its_column() -> None:
    named = [("sessions", ("a",), 3), ("moods_total", ("a",), 4), ("bytes_total", ("a",), 5)]
    columns = Columns.inherited(100, named, [], 6)
    assert columns.named == named[:1]
    assert columns.free == []
    assert columns.of(catalogue.BYTES, "a", "up") == 6


def test_looking_for_a_column_gives_none_out() -> None:
    columns = Columns()
    assert columns.find(catalogue.SESSIONS, "web") is None
    assert columns.used == FIRST_COLUMN
    column = columns.of(catalogue.SESSIONS, "web")
    assert columns.find(catalogue.SESSIONS, "web") == column


def test_the_buckets_of_a_histogram_and_its_sum_outlive_who_counted() -> None:
    columns = Columns()
    kept = [columns.of(catalogue.WORKER_LOOP, each) for each in (*catalogue.WORKER_LOOP.buckets, catalogue.SUM)]
    columns.of(catalogue.HEARTBEAT)
    assert columns.counters() == kept
