"""Sessions that are to end when they arrive: those that were killed on the way, and those whose server was removed."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from l4d.address import Host, Inet
from l4d.session.filter import Filter
from l4d.stats import catalogue
from l4d.stats.seat import Seat
from l4d.stats.standing import Standing, Verdict
from l4d.terms import End, OnDown
from l4d.worker import warrants as warrants_module
from tests.unit.making import member
from tests.unit.worker.posts import Post, Town, link


@pytest.fixture
def town() -> Iterator[Town]:
    with ExitStack() as stack:
        yield Town(stack)


def ends(town: Town, end: End) -> list[int]:
    return [town.total(catalogue.SESSION_ENDS, listener, end.value) for listener in ("web", "dns")]


def move(town: Town, old: Post, new: Post) -> None:
    link(old, new)
    old.giver.begin()
    town.turn_until("nobody is left", lambda: not old.capacity.sessions)


def test_who_was_on_the_way_when_it_was_to_be_killed_is_killed_on_arrival(town: Town) -> None:
    old, new = town.post(), town.post()
    one, _ = town.client(old)
    other, peer = town.client(old)
    town.udp_client(old)
    client = ":".join(map(str, one.getsockname()))
    for wanted in ({"client": client}, {"listener": "dns"}):
        new.services.warrants.issue(Filter(wanted), new.loop.now + 60)
    move(town, old, new)
    town.turn_until("two are killed", lambda: ends(town, End.KILLED) == [1, 1])
    assert town.passes(other, peer, b"hello")


def test_who_had_not_begun_when_it_was_asked_is_not_killed(town: Town) -> None:
    old, new = town.post(), town.post()
    client, peer = town.client(old)
    new.services.warrants.issue(Filter({"listener": "web"}), new.loop.now - 60)
    move(town, old, new)
    assert town.passes(client, peer, b"hello")


def test_a_kill_is_forgotten_after_a_while(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warrants_module, "KEPT", 0.0)
    old, new = town.post(), town.post()
    client, peer = town.client(old)
    new.services.warrants.issue(Filter({"listener": "web"}), new.loop.now + 60)
    new.loop.turn()
    move(town, old, new)
    assert town.passes(client, peer, b"hello")


@pytest.mark.parametrize("on_down", OnDown)
def test_whose_server_the_file_no_longer_has_ends_on_arrival_if_that_is_wanted(town: Town, on_down: OnDown) -> None:
    other = member(name="other", address=Inet("127.0.0.1", 1))
    upstreams = {
        name: replace(upstream, servers=(other,), on_down=on_down) for name, upstream in town.config.upstreams.items()
    }
    old, new = town.post(), town.post(config=replace(town.config, upstreams=upstreams))
    client, peer = town.client(old)
    town.udp_client(old)
    move(town, old, new)
    if on_down is OnDown.CLOSE:
        town.turn_until("both are over", lambda: ends(town, End.SERVER_REMOVED) == [1, 1])
        assert (client.recv(1), peer.recv(1)) == (b"", b"")
    else:
        assert town.passes(client, peer, b"hello")
        assert ends(town, End.SERVER_REMOVED) == [0, 0]


def test_whose_server_went_down_on_the_way_ends_on_arrival_if_that_is_wanted(town: Town) -> None:
    upstreams = {name: replace(upstream, on_down=OnDown.CLOSE) for name, upstream in town.config.upstreams.items()}
    old, new = town.post(), town.post(config=replace(town.config, upstreams=upstreams))
    client, peer = town.client(old)
    Standing(town.row.said, town.row.columns, "db", "one").judge(Verdict.DOWN, new.loop.now)
    town.board.ring()
    move(town, old, new)
    town.turn_until("it is over", lambda: ends(town, End.SERVER_DOWN) == [1, 0])
    assert (client.recv(1), peer.recv(1)) == (b"", b"")


def test_whose_server_has_an_address_since_this_moment_goes_on(town: Town) -> None:
    """The worker that is handed the session has not looked at the board since."""
    place = replace(town.config.upstreams["db"].servers[0], address=Host("db.example", town.server.getsockname()[1]))
    named = replace(town.config.upstreams["db"], servers=(place,), on_down=OnDown.CLOSE)
    old, new = (town.post(config=replace(town.config, upstreams={**town.config.upstreams, "db": named})) for _ in "12")
    seat = Seat(town.row.said, town.row.columns, "db", place.seats[0])
    seat.sit(Inet(*town.server.getsockname()), weight=1, backup=False)
    town.row.said[town.row.columns.of(catalogue.SEATS_TAKEN, "db", place.name)] = 1
    town.board.ring()
    client, peer = town.client(old)
    move(town, old, new)
    assert town.passes(client, peer, b"hello")


def test_whose_whole_upstream_is_gone_goes_on(town: Town) -> None:
    upstreams = {
        f"new-{name}": replace(one, name=f"new-{name}", on_down=OnDown.CLOSE)
        for name, one in town.config.upstreams.items()
    }
    listeners = {name: replace(one, upstream=f"new-{one.upstream}") for name, one in town.config.listeners.items()}
    old, new = town.post(), town.post(config=replace(town.config, upstreams=upstreams, listeners=listeners))
    client, peer = town.client(old)
    move(town, old, new)
    assert town.passes(client, peer, b"hello")
