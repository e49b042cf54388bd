"""What an agent has wished so far."""

from l4d.health.probe import Answer
from l4d.health.wishes import Wishes
from l4d.terms import ServerState


def wish(state: ServerState | None = None, percent: int | None = None) -> Answer:
    return Answer(well=True, state=state, percent=percent)


def test_nothing_is_told_of_a_server_whose_agent_wishes_nothing() -> None:
    assert Wishes().hear(wish()) is None


def test_a_wish_is_told_once() -> None:
    wishes = Wishes()
    assert wishes.hear(wish(ServerState.DRAIN)) == (ServerState.DRAIN, None)
    assert wishes.hear(wish(ServerState.DRAIN)) is None


def test_what_is_not_spoken_of_stays() -> None:
    wishes = Wishes()
    wishes.hear(wish(ServerState.DRAIN))
    assert wishes.hear(wish(percent=50)) == (ServerState.DRAIN, 50)
    assert wishes.hear(wish()) is None
    assert wishes.hear(wish(ServerState.READY)) == (ServerState.READY, 50)


def test_no_percent_is_drain_until_there_are_some() -> None:
    wishes = Wishes()
    assert wishes.hear(wish(percent=0)) == (ServerState.DRAIN, 0)
    assert wishes.hear(wish(ServerState.READY)) is None
    assert wishes.hear(wish(percent=75)) == (ServerState.READY, 75)


def test_what_was_wished_before_is_not_told_again() -> None:
    """A control process begins with what the last one wrote."""
    wishes = Wishes(ServerState.DRAIN, 50)
    assert wishes.hear(wish()) is None
    assert wishes.hear(wish(ServerState.DRAIN, 50)) is None
    assert wishes.hear(wish(percent=75)) == (ServerState.DRAIN, 75)


def test_a_drain_that_was_no_percent_before_ends_with_some() -> None:
    """What is written of both is the same."""
    wishes = Wishes(ServerState.DRAIN, 0)
    assert wishes.hear(wish(percent=0)) is None
    assert wishes.hear(wish(percent=30)) == (None, 30)


def test_a_maintenance_from_before_stays_whatever_the_percent() -> None:
    wishes = Wishes(ServerState.MAINT, 0)
    assert wishes.hear(wish(percent=30)) == (ServerState.MAINT, 30)


def test_maintenance_is_more_than_no_percent() -> None:
    wishes = Wishes()
    assert wishes.hear(wish(ServerState.MAINT, 0)) == (ServerState.MAINT, 0)
