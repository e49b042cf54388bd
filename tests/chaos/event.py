"""What has happened, as the ledger needs it."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.chaos.plan import FROZEN, What

DEADLY = {What.KILL_WORKER, What.KILL_SERVER}
"""The events that may end sessions. All others explain nothing."""


@dataclass(slots=True)
class Event:
    """One event, in monotonic seconds."""

    at: float
    what: What
    pid: int = 0
    text: str = ""
    until: float = 0.0
    """When a process that stood still goes on, and a server is back."""
    sessions: frozenset[tuple[int, int]] = frozenset()
    """Of a killed worker: the port of the listener and of the client, for each TCP session that it had."""
    pids: frozenset[int] = frozenset()
    """Of a killed worker: clients that are processes of their own, and had a session there."""
    flows: frozenset[int] = frozenset()
    """Of a killed worker: the source ports of the UDP flows that it had."""
    listener: int = 0
    """Of a killed server: where its TCP clients come to l4d."""
    connections: int = 0
    """Of a killed server: how many it had, those that it had not accepted yet among them."""
    gone: float = 0.0
    """Of a killed server: when the kernel had closed all it had. Until then it may be given connections."""


def deadly(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event.what in DEADLY]


def stops(events: Iterable[Event]) -> list[Event]:
    """Those in which a process stood still."""
    return [event for event in events if event.what in FROZEN]
