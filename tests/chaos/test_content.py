"""A byte out of its place is found, whatever it is mistaken for."""

from tests.chaos.content import PERIOD, misplaced, piece, turned


def test_the_bytes_of_a_session_are_the_same_each_time_and_another_sessions_are_others() -> None:
    assert piece(7, 100, 50) == piece(7, 0, 150)[100:]
    assert piece(7, 0, 8) != piece(8, 0, 8)
    assert piece(7, PERIOD - 3, 6)[3:] == piece(7, 0, 3)


def test_what_is_in_its_place_is_not_complained_of() -> None:
    assert not misplaced(bytes(piece(7, 123, 4567)), 7, 123)
    assert not misplaced(b"", 7, 123)


def test_a_lost_buffer_of_any_power_of_two_is_found() -> None:
    for power in range(20):
        assert misplaced(bytes(piece(7, 1 << power, 64)), 7, 0) == (
            f"byte 0 of session 7 is another one, which belongs {1 << power} further on"
        )


def test_doubled_exchanged_and_foreign_bytes_are_found() -> None:
    ours = bytes(piece(7, 0, 100))
    assert "byte 50 of session 7" in misplaced(ours[:50] + ours[:50], 7, 0)
    assert "byte 0 of session 7" in misplaced(ours[50:] + ours[:50], 7, 0)
    assert misplaced(bytes(piece(8, 0, 100)), 7, 0)
    assert misplaced(bytes(100), 7, 0) == "byte 0 of session 7 is another one"


def test_what_never_was_at_a_server_is_found() -> None:
    ours = bytes(piece(7, 0, 100))
    assert misplaced(ours, 7, 0) == ""
    assert not misplaced(turned(turned(ours)), 7, 0)
    assert misplaced(turned(ours), 7, 0)
