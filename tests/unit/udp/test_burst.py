"""How many reads an event is worth."""

from l4d.udp.burst import MOST, MOST_PATIENCE, PATIENCE, Burst


def full(burst: Burst, times: int) -> None:
    for _ in range(times):
        burst.was_full()


def test_one_datagram_at_a_time_is_what_to_begin_with() -> None:
    assert Burst().limit == 1


def test_several_events_in_a_row_that_found_all_they_asked_for_double_the_limit() -> None:
    burst = Burst()
    full(burst, PATIENCE - 1)
    assert burst.limit == 1
    burst.was_full()
    assert burst.limit == 2
    full(burst, PATIENCE)
    assert burst.limit == 4


def test_the_limit_has_a_limit() -> None:
    burst = Burst()
    full(burst, 100 * PATIENCE)
    assert burst.limit == MOST


def test_an_event_that_ran_dry_says_how_many_there_are() -> None:
    burst = Burst()
    full(burst, 100 * PATIENCE)
    burst.ran_dry(5)
    assert burst.limit == 5
    burst.ran_dry(0)
    assert burst.limit == 1


def test_after_an_event_that_ran_dry_patience_begins_anew() -> None:
    burst = Burst()
    full(burst, PATIENCE - 1)
    burst.ran_dry(1)
    full(burst, PATIENCE - 1)
    assert burst.limit == 1


def test_asking_for_more_in_vain_is_tried_again_later_and_later() -> None:
    burst, patience = Burst(), PATIENCE
    while patience < MOST_PATIENCE:
        full(burst, patience - 1)
        assert burst.limit == 1
        burst.was_full()
        assert burst.limit == 2
        burst.ran_dry(1)
        patience *= 2
    full(burst, MOST_PATIENCE)
    burst.ran_dry(1)
    full(burst, MOST_PATIENCE)
    assert burst.limit == 2, "but it is tried again"


def test_once_asking_for_more_has_paid_patience_is_short_again() -> None:
    burst = Burst()
    full(burst, PATIENCE)
    burst.ran_dry(1)
    full(burst, 2 * PATIENCE + 1)
    assert burst.limit == 2
    burst.ran_dry(1)
    full(burst, PATIENCE)
    assert burst.limit == 2


def test_an_event_without_a_datagram_is_no_doubling_in_vain() -> None:
    burst = Burst()
    for _ in range(10):
        burst.ran_dry(0)
    full(burst, PATIENCE)
    assert burst.limit == 2
