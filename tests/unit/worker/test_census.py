"""Walking over sessions that come, go and go on meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from l4d.session.stage import Stage
from l4d.worker.census import walk
from tests.unit.worker.posts import Town, link


@pytest.fixture
def town() -> Iterator[Town]:
    with ExitStack() as stack:
        yield Town(stack)


def met(steps: Iterator[Stage | None]) -> list[Stage]:
    return [stage for stage in steps if stage is not None]


def test_every_session_is_met_once_where_it_stands(town: Town) -> None:
    post = town.post()
    for _ in range(3):
        town.client(post)
    town.udp_client(post)
    stages = met(walk(post.services))
    assert sorted(type(stage).__name__ for stage in stages) == ["Flow", "Relay", "Relay", "Relay"]
    assert len({stage.session.id for stage in stages}) == 4


def test_one_that_ends_or_moves_before_it_is_met_is_not_met(town: Town) -> None:
    post, other = town.post(), town.post()
    client, peer = town.client(post)
    town.client(post)
    steps = walk(post.services)
    first = next(steps)
    assert first is not None
    client.close()
    peer.close()
    link(post, other)
    post.giver.begin()
    town.turn_until("all have left", lambda: not post.capacity.sessions)
    assert met(steps) == []


def test_one_that_came_since_is_not_met(town: Town) -> None:
    post = town.post()
    town.client(post)
    steps = walk(post.services)
    assert next(steps) is not None
    town.client(post)
    assert met(steps) == []


def test_one_that_goes_on_to_another_stage_is_met_there() -> None:
    with ExitStack() as stack:
        town = Town(stack, tries_timeout=60.0)
        post = town.post()
        town.server.listen(0)  # it has room for one
        served = town.waiting(post)
        waiting = [town.waiting(post) for _ in range(3)]
        assert sorted(stage.phase for stage in met(walk(post.services))) == ["dial", "dial", "dial", "relay"]
        steps = walk(post.services)
        dial = next(steps)
        assert dial is not None
        assert dial.phase == "dial"
        town.server.listen(10)
        town.stack.enter_context(town.server.accept()[0])
        post.turn_until("all are served", lambda: not post.services.tcp["web"].tries)
        rest = met(steps)
        assert [stage.phase for stage in rest] == ["relay"] * 3
        assert len({stage.session.id for stage in [dial, *rest]}) == len([served, *waiting])
