"""What a reload would change of the l4d that runs: for `l4d diff`, and for `l4d -t`."""

from collections.abc import Iterator
from dataclasses import dataclass

from l4d.cli.commands.client import Client, Json
from l4d.cli.commands.effects import Effect, Effects, Live
from l4d.cli.commands.text import clean, plural
from l4d.cli.commands.told import part, rows, whole, words
from l4d.config.diff import Change, compare
from l4d.config.model import Config
from l4d.config.show import show
from l4d.config.toml import parse

PATIENCE = 3.0
"""Seconds that `l4d -t` waits for an l4d that may run: the check itself is done by then."""


@dataclass(frozen=True, slots=True)
class Reloading:
    """The changes with what they do, and what becomes of the sessions at all."""

    changes: list[tuple[Change, Effect]]
    live: Live
    summary: str


def reloading(config: Config, client: Client) -> Reloading:
    """Ask the running l4d what is in force, and compare. Raises StartError when it cannot be asked."""
    before, after = part(client.get("config"), "config"), parse(show(config))
    live = _live(client.get("status"), client.get("listeners"), client.get("upstreams"))
    effects = Effects(after, live)
    return Reloading([(change, effects.of(change)) for change in compare(before, after)], live, effects.summary())


def _live(status: Json, listeners: Json, upstreams: Json) -> Live:
    servers = {
        (words(upstream, "name"), words(server, "name")): server
        for upstream in rows(upstreams, "upstreams")
        for server in rows(upstream, "servers")
    }
    return Live(
        whole(status, "sessions"),
        {words(one, "name"): whole(one, "sessions") for one in rows(listeners, "listeners")},
        {name: whole(server, "sessions") for name, server in servers.items()},
        {name: _wishes(server) for name, server in servers.items()},
    )


def _wishes(server: Json) -> dict[str, str]:
    wishes = part(server, "wishes")
    return {key: words(wishes, key) for key in wishes}


def told(found: Reloading) -> Iterator[str]:
    """The same in lines, for `l4d -t`."""
    if not found.changes:
        yield "the running l4d serves that already: a reload would change nothing"
        return
    yield f"a reload of the running l4d would change {plural(len(found.changes), 'thing')}; {found.summary}"
    for change, effect in found.changes:
        touched = f"{plural(effect.sessions, 'session')}: " if effect.sessions else ""
        yield clean(f"  {change.key}: {change.words}" + (f"  ({touched}{effect.words})" if effect.words else ""))
