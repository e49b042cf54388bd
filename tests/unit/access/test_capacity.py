"""How many sessions a worker may have."""

from l4d.access.capacity import TCP_DESCRIPTORS, UDP_DESCRIPTORS, Capacity


def filled(capacity: Capacity, descriptors: int) -> int:
    """How many sessions of so many descriptors began until there was no room."""
    began = 0
    while capacity.has_room(descriptors):
        capacity.take(descriptors)
        began += 1
    return began


def test_there_is_room_for_max_sessions_and_no_more() -> None:
    assert filled(Capacity(max_sessions=3, descriptors=1000), TCP_DESCRIPTORS) == 3


def test_descriptors_are_a_bound_too_and_a_udp_session_needs_fewer() -> None:
    assert filled(Capacity(max_sessions=100, descriptors=11), TCP_DESCRIPTORS) == 5
    assert filled(Capacity(max_sessions=100, descriptors=11), UDP_DESCRIPTORS) == 11


def test_tcp_and_udp_sessions_share_the_descriptors() -> None:
    capacity = Capacity(max_sessions=100, descriptors=5)
    capacity.take(TCP_DESCRIPTORS)
    capacity.take(TCP_DESCRIPTORS)
    assert not capacity.has_room(TCP_DESCRIPTORS)
    assert filled(capacity, UDP_DESCRIPTORS) == 1


def test_without_max_sessions_the_descriptors_alone_decide() -> None:
    assert filled(Capacity(max_sessions=0, descriptors=10), UDP_DESCRIPTORS) == 10


def test_however_few_descriptors_there_are_one_session_can_be_served() -> None:
    assert filled(Capacity(max_sessions=0, descriptors=-20), TCP_DESCRIPTORS) == 1


def test_the_most_sessions_are_bounded_by_both() -> None:
    assert Capacity(max_sessions=3, descriptors=10).most == 3
    assert Capacity(max_sessions=30, descriptors=10).most == 10


def test_a_session_that_has_left_makes_room() -> None:
    capacity = Capacity(max_sessions=1, descriptors=2)
    capacity.take(TCP_DESCRIPTORS)
    capacity.give_back(TCP_DESCRIPTORS)
    assert capacity.sessions == 0
    assert filled(capacity, TCP_DESCRIPTORS) == 1


def test_who_waits_for_room_is_told_once() -> None:
    told: list[int] = []
    capacity = Capacity(max_sessions=2, descriptors=10)
    filled(capacity, TCP_DESCRIPTORS)
    capacity.when_room(lambda: told.append(capacity.sessions))
    capacity.give_back(TCP_DESCRIPTORS)
    capacity.give_back(TCP_DESCRIPTORS)
    assert told == [1]


def test_who_is_told_of_room_may_wait_again() -> None:
    told: list[int] = []
    capacity = Capacity(max_sessions=2, descriptors=10)
    filled(capacity, TCP_DESCRIPTORS)

    def again() -> None:
        told.append(capacity.sessions)
        capacity.when_room(again)

    capacity.when_room(again)
    capacity.give_back(TCP_DESCRIPTORS)
    capacity.give_back(TCP_DESCRIPTORS)
    assert told == [1, 0]


def test_who_waits_for_the_last_to_leave_is_told_then() -> None:
    told: list[str] = []
    capacity = Capacity(max_sessions=2, descriptors=10)
    filled(capacity, TCP_DESCRIPTORS)
    capacity.when_empty(lambda: told.append("empty"))
    capacity.give_back(TCP_DESCRIPTORS)
    assert not told
    capacity.give_back(TCP_DESCRIPTORS)
    assert told == ["empty"]


def test_who_waits_for_nobody_is_told_at_once() -> None:
    told: list[str] = []
    Capacity(max_sessions=2, descriptors=10).when_empty(lambda: told.append("empty"))
    assert told == ["empty"]


def test_room_is_what_is_left_of_the_descriptors() -> None:
    capacity = Capacity(max_sessions=1, descriptors=5)
    rooms = [capacity.room]
    for descriptors in (TCP_DESCRIPTORS, UDP_DESCRIPTORS):
        capacity.take(descriptors)
        rooms.append(capacity.room)
    capacity.give_back(TCP_DESCRIPTORS)
    rooms.append(capacity.room)
    assert rooms == [5, 3, 2, 4]


def test_where_more_came_than_there_is_room_for_there_is_none() -> None:
    capacity = Capacity(max_sessions=0, descriptors=3)
    for _ in range(3):
        capacity.take(TCP_DESCRIPTORS)
    assert capacity.room == 0
