"""What a change of the configuration does to the sessions that live: how many it touches, and what becomes of them.

At a reload sessions go to new workers (docs/handover.md). Some keys of a listener count as long as a session
lives, and it goes on with the new value; the others have done their work when it began. With `handover = false`
sessions stay where they are, as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from l4d.cli.commands.text import count, plural
from l4d.config.diff import Change, Kind
from l4d.handover.settings import TOLD

_GO_ON = frozenset((*TOLD, "relay"))
"""Keys of a listener that count while a session lives."""

_WISHES = ("state", "weight", "max_sessions")


@dataclass(frozen=True, slots=True)
class Live:
    """The sessions there are, and what the operator wishes of servers."""

    total: int = 0
    listeners: Mapping[str, int] = field(default_factory=dict)
    servers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    wishes: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def of_upstream(self, name: str) -> int:
        return sum(number for (upstream, _), number in self.servers.items() if upstream == name)

    def of_server(self, upstream: str, name: str) -> int:
        """Of a server; of one given by a name, those of all its addresses, which are called NAME#1 and so on."""
        return sum(
            number
            for (of, called), number in self.servers.items()
            if of == upstream and (called == name or called.startswith(f"{name}#"))
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """Of one change: the sessions it has to do with, and what becomes of them or of new ones."""

    sessions: int
    words: str


class Effects:
    """Of a reload that brings the configuration *after*."""

    def __init__(self, after: Mapping[str, Any], live: Live) -> None:
        self._after = after
        self._live = live
        self.moves = bool(after.get("main", {}).get("handover", True))

    def of(self, change: Change) -> Effect:
        """What *change* does."""
        table = change.path[0]
        return _BY_TABLE.get(table, Effects._other)(self, change)

    def summary(self) -> str:
        """What becomes of the sessions at all."""
        number = self._live.total
        if not number:
            return "no session lives now"
        if self.moves:
            return f"{plural(number, 'session')} would go on in new workers"
        longest = self._after.get("main", {}).get("drain_timeout", "0")
        bound = "as long as they last" if longest == "0" else f"for {longest} at most"
        return (
            f"{plural(number, 'session')} would stay in the old workers, as they are, {bound} (main.handover is false)"
        )

    # By table

    def _main(self, change: Change) -> Effect:
        key = change.path[-1]
        if key == "workers":
            words = "spread over the new number of workers" if self.moves else "new sessions only"
            return Effect(self._live.total if self.moves else 0, words)
        return Effect(0, _MAIN.get(key, "the new workers have it"))

    def _other(self, change: Change) -> Effect:
        return Effect(0, _TABLES.get(change.path[0], ""))

    def _listener(self, change: Change) -> Effect:
        _, name, *rest = change.path
        number = self._live.listeners.get(name, 0)
        if not rest:
            if change.kind is Kind.ADDED:
                return Effect(0, "clients are taken there")
            return Effect(number, f"no new clients there; {self._run_on(number)}")
        key = rest[0]
        if key in _GO_ON:
            words = "live sessions go on with the new value" if self.moves else "new sessions only"
            return Effect(number if self.moves else 0, words)
        stay = "; those that live stay as they are" if number else ""
        if key == "upstream":
            keep = "; those that live keep their server" if number else ""
            return Effect(number, f"new sessions go to {change.after}{keep}")
        if key == "bind":
            return Effect(number, f"new clients are taken at the new addresses only{stay}")
        if key == "protocol":
            return Effect(number, f"new clients are taken by {change.after} only; {self._run_on(number)}")
        return Effect(0, "new sessions only")

    def _upstream(self, change: Change) -> Effect:
        _, name, *rest = change.path
        number = self._live.of_upstream(name)
        if not rest:
            if change.kind is Kind.ADDED:
                return Effect(0, "")
            return Effect(number, self._run_on(number))
        if rest[0] == "servers" and len(rest) > 1:
            return self._server(change, name, rest[1])
        if rest[0] == "servers":
            return Effect(0, "new sessions only, where the order decides")
        if rest[0] == "on_down":
            return Effect(number, "counts for live sessions, too" if self.moves else "new sessions only")
        if rest[0] == "check":
            return Effect(0, "servers are checked anew")
        return Effect(0, "new sessions only")

    def _server(self, change: Change, upstream: str, name: str) -> Effect:
        number = self._live.of_server(upstream, name)
        key = change.path[4] if len(change.path) > 4 else ""
        if change.kind is Kind.ADDED and not key:
            return Effect(0, "gets its share of new sessions")
        if key in {"", "address", "srv"}:
            where = "" if not key else "new sessions go to the new address; "
            return Effect(number, where + self._lose(upstream, number))
        if key == "state" and change.after != "ready":
            return Effect(number, "nothing new; those that live may finish" + self._wish_ends(upstream, name, key))
        return Effect(0, "new sessions only" + self._wish_ends(upstream, name, key))

    def _lose(self, upstream: str, number: int) -> str:
        """What becomes of the sessions of a server that is no more."""
        table = self._after.get("upstreams", {}).get(upstream, {})
        if number and self.moves and table.get("on_down") == "close":
            return f'{count(number)} would end with DD (on_down = "close")'
        return self._run_on(number)

    def _run_on(self, number: int) -> str:
        return "no session is touched" if not number else "those that live run on until they end"

    def _wish_ends(self, upstream: str, server: str, key: str) -> str:
        """An operator's wish holds until the file's value for that key changes."""
        wish = self._live.wishes.get((upstream, server), {}).get(key) if key in _WISHES else None
        return f"; the operator's {key} {wish} ends" if wish else ""


_BY_TABLE: dict[str, Callable[[Effects, Change], Effect]] = {
    "main": Effects._main,
    "listeners": Effects._listener,
    "upstreams": Effects._upstream,
}

_MAIN = {
    "drain_timeout": "counts for the workers that leave at this reload already",
    "handover": "counts for this reload already",
    "pid_file": "written there, and removed where it was",
}

_TABLES = {
    "log": "from then on",
    "resolver": "names are asked for anew",
    "admin": "from then on the operator is answered so",
}
