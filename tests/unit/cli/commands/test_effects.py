"""What a change does to the sessions that live. That it is so: tests/integration/test_commands_diff.py."""

from typing import Any

import pytest

from l4d.cli.commands.effects import Effects, Live
from l4d.config.diff import Change, Kind

LIVE = Live(
    60,
    {"pg": 12, "empty": 0},
    {("pg", "one"): 10, ("pg", "db.test:1#1"): 20, ("pg", "db.test:1#2"): 5, ("web", "one"): 7},
    {("pg", "one"): {"weight": "5"}},
)


def effect(
    path: str, kind: Kind = Kind.CHANGED, after: Any = None, config: dict[str, Any] | None = None
) -> tuple[int, str]:
    found = Effects(config or {}, LIVE).of(Change(tuple(path.split("/")), kind, after=after))
    return found.sessions, found.words


@pytest.mark.parametrize(
    ("path", "kind", "after", "sessions", "words"),
    [
        ("main/workers", Kind.CHANGED, 2, 60, "spread over the new number of workers"),
        ("main/drain_timeout", Kind.CHANGED, "1s", 0, "counts for the workers that leave at this reload already"),
        ("main/user", Kind.CHANGED, "x", 0, "the new workers have it"),
        ("log/level", Kind.CHANGED, "debug", 0, "from then on"),
        ("resolver/timeout", Kind.CHANGED, "1s", 0, "names are asked for anew"),
        ("listeners/new", Kind.ADDED, {}, 0, "clients are taken there"),
        ("listeners/pg", Kind.REMOVED, None, 12, "no new clients there; those that live run on until they end"),
        ("listeners/empty", Kind.REMOVED, None, 0, "no new clients there; no session is touched"),
        ("listeners/pg/idle_timeout", Kind.CHANGED, "5m", 12, "live sessions go on with the new value"),
        ("listeners/pg/backlog", Kind.CHANGED, 5, 0, "new sessions only"),
        ("listeners/pg/upstream", Kind.CHANGED, "web", 12, "new sessions go to web; those that live keep their server"),
        ("listeners/empty/upstream", Kind.CHANGED, "web", 0, "new sessions go to web"),
        (
            "listeners/pg/bind",
            Kind.CHANGED,
            [],
            12,
            "new clients are taken at the new addresses only; those that live stay as they are",
        ),
        (
            "listeners/pg/protocol",
            Kind.CHANGED,
            "udp",
            12,
            "new clients are taken by udp only; those that live run on until they end",
        ),
        ("upstreams/new", Kind.ADDED, {}, 0, ""),
        ("upstreams/pg", Kind.REMOVED, None, 35, "those that live run on until they end"),
        ("upstreams/pg/balance", Kind.CHANGED, "hash", 0, "new sessions only"),
        ("upstreams/pg/check/interval", Kind.CHANGED, "5s", 0, "servers are checked anew"),
        ("upstreams/pg/on_down", Kind.CHANGED, "close", 35, "counts for live sessions, too"),
        ("upstreams/pg/servers", Kind.MOVED, None, 0, "new sessions only, where the order decides"),
        ("upstreams/pg/servers/three", Kind.ADDED, {}, 0, "gets its share of new sessions"),
        ("upstreams/pg/servers/one", Kind.REMOVED, None, 10, "those that live run on until they end"),
        ("upstreams/pg/servers/db.test:1", Kind.REMOVED, None, 25, "those that live run on until they end"),
        ("upstreams/pg/servers/none", Kind.REMOVED, None, 0, "no session is touched"),
        (
            "upstreams/pg/servers/one/address",
            Kind.CHANGED,
            "x:1",
            10,
            "new sessions go to the new address; those that live run on until they end",
        ),
        ("upstreams/pg/servers/one/state", Kind.CHANGED, "drain", 10, "nothing new; those that live may finish"),
        ("upstreams/pg/servers/one/weight", Kind.CHANGED, 3, 0, "new sessions only; the operator's weight 5 ends"),
        ("upstreams/web/servers/one/weight", Kind.CHANGED, 3, 0, "new sessions only"),
        ("upstreams/pg/servers/one/backup", Kind.CHANGED, True, 0, "new sessions only"),
        ("unheard/of", Kind.CHANGED, 1, 0, ""),
    ],
)
def test_each_change_has_its_effect(path: str, kind: Kind, after: Any, sessions: int, words: str) -> None:
    assert effect(path, kind, after) == (sessions, words)


def test_a_server_that_goes_takes_its_sessions_with_it_where_the_file_says_so() -> None:
    close: dict[str, Any] = {"upstreams": {"pg": {"on_down": "close"}}}
    words = '10 would end with DD (on_down = "close")'
    assert effect("upstreams/pg/servers/one", Kind.REMOVED, config=close) == (10, words)
    assert effect("upstreams/pg/servers/none", Kind.REMOVED, config=close) == (0, "no session is touched")


def test_without_handover_what_lives_stays_as_it_is() -> None:
    off: dict[str, Any] = {
        "main": {"handover": False, "drain_timeout": "30s"},
        "upstreams": {"pg": {"on_down": "close"}},
    }
    assert effect("main/workers", config=off) == (0, "new sessions only")
    assert effect("listeners/pg/idle_timeout", config=off) == (0, "new sessions only")
    assert effect("upstreams/pg/on_down", config=off)[1] == "new sessions only"
    assert effect("upstreams/pg/servers/one", Kind.REMOVED, config=off)[1] == "those that live run on until they end"
    assert Effects(off, LIVE).summary() == (
        "60 sessions would stay in the old workers, as they are, for 30s at most (main.handover is false)"
    )
    off["main"]["drain_timeout"] = "0"
    assert "as they are, as long as they last" in Effects(off, LIVE).summary()


def test_what_becomes_of_the_sessions_at_all() -> None:
    assert Effects({}, LIVE).summary() == "60 sessions would go on in new workers"
    assert Effects({}, Live()).summary() == "no session lives now"
