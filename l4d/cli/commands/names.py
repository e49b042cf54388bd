"""`l4d names`: what the shells offer to complete, one name a line. Silent and quick: nobody waits for a Tab."""

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client, Json
from l4d.cli.commands.told import rows, words
from l4d.cli.output import say

PATIENCE = 1.0
_MOST = "500"


def names(asked: Asked, client: Client) -> int:
    """Print the names of a kind of things; none of a kind that is not known."""
    found = _KINDS.get(asked.values["kind"], lambda _: [])(client)
    say("".join(f"{name}\n" for name in found if name))
    return 0


def _listeners(client: Client) -> list[str]:
    return [words(one, "name") for one in rows(client.get("listeners"), "listeners")]


def _upstreams(client: Client) -> list[str]:
    return [words(one, "name") for one in rows(client.get("upstreams"), "upstreams")]


def _servers(client: Client) -> list[str]:
    upstreams: list[Json] = rows(client.get("upstreams"), "upstreams")
    return [f"{words(one, 'name')}/{words(server, 'name')}" for one in upstreams for server in rows(one, "servers")]


def _sessions(client: Client) -> list[str]:
    return [words(one, "id") for one in rows(client.get("sessions", limit=_MOST), "sessions")]


_KINDS = {"listener": _listeners, "upstream": _upstreams, "server": _servers, "session": _sessions}
