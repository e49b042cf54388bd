"""So many a second."""

from tests.chaos.pace import Pace


def test_a_second_has_as_many_as_it_should() -> None:
    pace = Pace(100)
    began = pace.next
    assert sum(pace.due(began + tick / 1000) for tick in range(1000)) == 100


def test_nothing_is_due_before_its_time() -> None:
    pace = Pace(10)
    began = pace.next
    assert pace.due(began) == 1
    assert pace.due(began + 0.05) == 0


def test_what_was_missed_is_not_made_up_for() -> None:
    pace = Pace(100)
    assert pace.due(pace.next + 60) == 1
