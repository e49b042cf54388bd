"""What is told of a server's load."""

from l4d.upstream.outlook import Outlook, load_of
from tests.unit.making import Row


def test_sessions_are_told_for_the_weight_they_count_against() -> None:
    server = Row().server(weight=3)
    assert [load_of(server, load) for load in (0, 1, 2)] == [
        "0 sessions for weight 3",
        "1 session for weight 3",
        "2 sessions for weight 3",
    ]


def test_what_is_foreseen_is_certain_if_nothing_else_is_said() -> None:
    assert Outlook(None, "so it is").certain
